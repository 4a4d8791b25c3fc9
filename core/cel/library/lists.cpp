// SPDX-License-Identifier: Apache-2.0
// Kubernetes' isSorted, sum, min, max, indexOf, lastIndexOf; the sets extension.
#include "core/cel/arithmetic.hpp"
#include "core/cel/functions.hpp"

namespace flotilla::cel {
namespace {

using Kind = Value::Kind;

Error no_order(std::string_view function, const Value& list) {
  return no_such_overload(function, {&list});
}

Result<Value> is_sorted(const Arguments& in) {
  std::optional<Value> before;
  bool sorted = true, ordered = true;
  in[0].each([&](const Value& element) {
    if (before) {
      const auto sign = before->compare(element);
      ordered = sign.has_value();
      sorted = ordered && *sign <= 0;
    }
    before = element;
    return sorted;
  });
  if (!ordered) return no_order("isSorted", in[0]);
  return Value::boolean(sorted);
}

Result<Value> sum(const Arguments& in) {
  std::optional<Value> total;
  std::optional<Error> error;
  in[0].each([&](const Value& element) {
    if (!total) return total = element, true;
    auto added = add_values(*total, element);
    if (!added) return error = added.error(), false;
    total = *std::move(added);
    return true;
  });
  if (error) return *error;
  if (!total) return Value::integer(0);
  if (!total->is_number() && !total->is(Kind::Duration)) return no_order("sum", in[0]);
  return *total;
}

// Of an empty list it depends on what the list would hold, which the signature alone knows.
template <typename Zero>
Result<Value> sum_from(const Arguments& in, Zero zero) {
  return in[0].size() == 0 ? Result<Value>(zero()) : sum(in);
}
Result<Value> sum_uint(const Arguments& in) {
  return sum_from(in, [] { return Value::unsigned_integer(0); });
}
Result<Value> sum_double(const Arguments& in) {
  return sum_from(in, [] { return Value::number(0); });
}
Result<Value> sum_duration(const Arguments& in) {
  return sum_from(in, [] { return Value::duration(0); });
}

Result<Value> extreme(const Value& list, std::string_view name, int sign) {
  std::optional<Value> best;
  bool ordered = true;
  list.each([&](const Value& element) {
    if (!best) return best = element, true;
    const auto order = element.compare(*best);
    ordered = order.has_value();
    if (ordered && *order == sign) best = element;
    return ordered;
  });
  if (!ordered) return no_order(name, list);
  if (!best) return evaluation_error(std::string(name) + " called on empty list");
  return *best;
}

Result<Value> min(const Arguments& in) {
  return extreme(in[0], "min", -1);
}
Result<Value> max(const Arguments& in) {
  return extreme(in[0], "max", 1);
}

Result<Value> index_of(const Arguments& in) {
  for (std::size_t i = 0, count = in[0].size(); i < count; ++i)
    if (in[0].element(i) == in[1]) return Value::integer(static_cast<std::int64_t>(i));
  return Value::integer(-1);
}

Result<Value> last_index_of(const Arguments& in) {
  for (std::size_t i = in[0].size(); i-- > 0;)
    if (in[0].element(i) == in[1]) return Value::integer(static_cast<std::int64_t>(i));
  return Value::integer(-1);
}

bool has_element(const Value& list, const Value& wanted) {
  bool found = false;
  list.each([&](const Value& element) {
    found = element == wanted;
    return !found;
  });
  return found;
}

bool contains_all(const Value& list, const Value& wanted) {
  bool all = true;
  wanted.each([&](const Value& element) { return all = has_element(list, element); });
  return all;
}

Result<Value> set_contains(const Arguments& in) {
  return Value::boolean(contains_all(in[0], in[1]));
}
Result<Value> set_equivalent(const Arguments& in) {
  return Value::boolean(contains_all(in[0], in[1]) && contains_all(in[1], in[0]));
}
Result<Value> set_intersects(const Arguments& in) {
  bool any = false;
  in[1].each([&](const Value& element) { return !(any = has_element(in[0], element)); });
  return Value::boolean(any);
}

std::uint64_t cost_of_product(std::span<const Value> in, const Value&) {
  return 1 + in[0].cost_size() * in[1].cost_size();
}
std::uint64_t cost_of_both_ways(std::span<const Value> in, const Value&) {
  return 1 + 2 * in[0].cost_size() * in[1].cost_size();
}

constexpr FunctionRow kListRows[] = {
#define FLOTILLA_CEL_ORDERED(type)                                  \
  {"list(" type ").isSorted(): bool", is_sorted, cost_of_elements}, \
      {"list(" type ").min(): " type, min, cost_of_elements}, {     \
    "list(" type ").max(): " type, max, cost_of_elements            \
  }
    FLOTILLA_CEL_ORDERED("int"),
    FLOTILLA_CEL_ORDERED("uint"),
    FLOTILLA_CEL_ORDERED("double"),
    FLOTILLA_CEL_ORDERED("bool"),
    FLOTILLA_CEL_ORDERED("duration"),
    FLOTILLA_CEL_ORDERED("timestamp"),
    FLOTILLA_CEL_ORDERED("string"),
    FLOTILLA_CEL_ORDERED("bytes"),
#undef FLOTILLA_CEL_ORDERED
    {"list(int).sum(): int", sum, cost_of_elements},
    {"list(uint).sum(): uint", sum_uint, cost_of_elements},
    {"list(double).sum(): double", sum_double, cost_of_elements},
    {"list(duration).sum(): duration", sum_duration, cost_of_elements},
    {"list(A).indexOf(A): int", index_of, cost_of_elements},
    {"list(A).lastIndexOf(A): int", last_index_of, cost_of_elements},
};

constexpr FunctionRow kSetRows[] = {
    {"sets.contains(list(A), list(A)): bool", set_contains, cost_of_product},
    {"sets.equivalent(list(A), list(A)): bool", set_equivalent, cost_of_both_ways},
    {"sets.intersects(list(A), list(A)): bool", set_intersects, cost_of_product},
};

}  // namespace

std::span<const FunctionRow> list_rows() {
  return kListRows;
}

std::span<const FunctionRow> set_rows() {
  return kSetRows;
}

}  // namespace flotilla::cel
