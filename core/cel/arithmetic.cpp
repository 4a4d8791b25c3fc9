// SPDX-License-Identifier: Apache-2.0
#include "core/cel/arithmetic.hpp"

#include <cmath>

#include "core/cel/functions.hpp"
#include "core/cel/time.hpp"

namespace flotilla::cel {
namespace {

using Kind = Value::Kind;

Error overflow(std::string_view what) {
  return evaluation_error(std::string(what) + " overflow");
}

template <typename T>
struct Checked {
  T value = 0;
  bool overflows = false;
};

template <typename T>
Checked<T> apply(Op op, T a, T b) {
  Checked<T> out;
  switch (op) {
    case Op::Add:
      out.overflows = __builtin_add_overflow(a, b, &out.value);
      break;
    case Op::Subtract:
      out.overflows = __builtin_sub_overflow(a, b, &out.value);
      break;
    case Op::Multiply:
      out.overflows = __builtin_mul_overflow(a, b, &out.value);
      break;
    default:
      break;
  }
  return out;
}

// Of a division: what is wrong with it, before it is done.
std::optional<Error> division_fault(Op op, bool by_zero, bool overflows) {
  if (by_zero) return evaluation_error(op == Op::Divide ? "division by zero" : "modulus by zero");
  if (overflows) return overflow("integer");
  return std::nullopt;
}

Result<Value> calculate_ints(Op op, std::int64_t a, std::int64_t b) {
  if (op == Op::Divide || op == Op::Modulo) {
    if (auto fault = division_fault(op, b == 0, a == INT64_MIN && b == -1)) return *fault;
    return Value::integer(op == Op::Divide ? a / b : a % b);
  }
  const auto done = apply(op, a, b);
  return done.overflows ? Result<Value>(overflow("integer")) : Value::integer(done.value);
}

Result<Value> calculate_uints(Op op, std::uint64_t a, std::uint64_t b) {
  if (op == Op::Divide || op == Op::Modulo) {
    if (auto fault = division_fault(op, b == 0, false)) return *fault;
    return Value::unsigned_integer(op == Op::Divide ? a / b : a % b);
  }
  const auto done = apply(op, a, b);
  return done.overflows ? Result<Value>(overflow("unsigned integer")) : Value::unsigned_integer(done.value);
}

std::optional<double> calculate_doubles(Op op, double a, double b) {
  switch (op) {
    case Op::Add:
      return a + b;
    case Op::Subtract:
      return a - b;
    case Op::Multiply:
      return a * b;
    case Op::Divide:
      return a / b;
    default:
      return std::nullopt;
  }
}

Result<Value> shift_timestamp(const Value& time, std::int64_t nanos) {
  const auto moved = shifted(time.as_timestamp(), nanos);
  return moved ? Result<Value>(Value::timestamp(*moved)) : overflow("timestamp");
}

// Of times and durations; nothing where there is no such operation.
std::optional<Result<Value>> calculate_times(Op op, const Value& a, const Value& b) {
  if (op != Op::Add && op != Op::Subtract) return std::nullopt;
  if (a.is(Kind::Duration) && b.is(Kind::Duration)) {
    const auto done = apply(op, a.as_duration(), b.as_duration());
    return done.overflows ? Result<Value>(overflow("duration")) : Value::duration(done.value);
  }
  if (a.is(Kind::Timestamp) && b.is(Kind::Duration)) {
    if (op == Op::Add) return shift_timestamp(a, b.as_duration());
    if (b.as_duration() == INT64_MIN) return Result<Value>(overflow("timestamp"));
    return shift_timestamp(a, -b.as_duration());
  }
  if (op == Op::Add && a.is(Kind::Duration) && b.is(Kind::Timestamp))
    return shift_timestamp(b, a.as_duration());
  if (op == Op::Subtract && a.is(Kind::Timestamp) && b.is(Kind::Timestamp)) {
    const auto nanos = between(a.as_timestamp(), b.as_timestamp());
    return nanos ? Result<Value>(Value::duration(*nanos)) : overflow("duration");
  }
  return std::nullopt;
}

// Sets stay sets; of two entries with the same keys the right one wins.
std::vector<Value> joined_elements(const Value& a, const Value& b) {
  std::vector<Value> all;
  note_work(2 * (a.size() + b.size()));
  all.reserve(a.size() + b.size());
  const auto append = [&](const Value& element) { return all.push_back(element), true; };
  a.each(append);
  const Type* type = a.view_type();
  const ListKind kind = type ? type->list_kind() : ListKind::Atomic;
  if (kind == ListKind::Atomic) {
    b.each(append);
    return all;
  }
  const std::size_t own = all.size();
  b.each([&](const Value& element) {
    for (std::size_t i = 0; i < own; ++i) {
      const bool same =
          kind == ListKind::Set ? all[i] == element : same_list_keys(all[i], element, type->list_keys());
      if (!same) continue;
      all[i] = element;
      return true;
    }
    return append(element);
  });
  return all;
}

Result<Value> join_values(const Value& a, const Value& b) {
  if (a.is(Kind::List)) {
    if (a.size() + b.size() > kLargestList)
      return Error(Code::ResourceExhausted, "operation cancelled: actual cost limit exceeded");
    if (b.size() == 0 && a.view_type() == nullptr) return a;
    return Value::list(joined_elements(a, b));
  }
  std::string text(a.as_string());
  text += b.as_string();
  return a.is(Kind::String) ? Value::string(std::move(text)) : Value::bytes(std::move(text));
}

}  // namespace

Result<Value> calculate(Op op, const Value& a, const Value& b) {
  if (a.kind() == b.kind()) {
    switch (a.kind()) {
      case Kind::Int:
        return calculate_ints(op, a.as_int(), b.as_int());
      case Kind::Uint:
        return calculate_uints(op, a.as_uint(), b.as_uint());
      case Kind::Double:
        if (const auto done = calculate_doubles(op, a.as_double(), b.as_double()))
          return Value::number(*done);
        break;
      case Kind::String:
      case Kind::Bytes:
      case Kind::List:
        if (op == Op::Add) return join_values(a, b);
        break;
      default:
        break;
    }
  }
  if (auto done = calculate_times(op, a, b)) return *std::move(done);
  return no_such_overload(operator_name(op), {&a, &b});
}

Result<Value> add_values(const Value& a, const Value& b) {
  return calculate(Op::Add, a, b);
}

Result<Value> negate_value(const Value& a) {
  if (a.is(Kind::Int)) {
    if (a.as_int() == INT64_MIN) return overflow("integer");
    return Value::integer(-a.as_int());
  }
  if (a.is(Kind::Double)) return Value::number(-a.as_double());
  return no_such_overload("-_", {&a});
}

}  // namespace flotilla::cel
