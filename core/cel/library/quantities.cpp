// SPDX-License-Identifier: Apache-2.0
// Kubernetes' quantity(): "1.5Gi" as a number.
#include "core/api/quantity.hpp"

#include "core/cel/functions.hpp"

namespace flotilla::cel {
namespace {

using api::Quantity;

class Amount final : public Opaque {
 public:
  explicit Amount(Quantity value) : value(value) {}
  std::string_view type_name() const override { return "kubernetes.Quantity"; }
  bool equals(const Opaque& other) const override { return value == static_cast<const Amount&>(other).value; }
  std::string text() const override { return value.to_string(); }

  Quantity value;
};

Value wrap(Quantity value) {
  return Value::opaque(std::make_shared<Amount>(value));
}

const Quantity& amount(const Value& value) {
  return static_cast<const Amount*>(value.as_opaque())->value;
}

// Whether no fraction is lost.
bool is_whole(const Quantity& value) {
  return Quantity(value.value()) == value;
}

Result<Value> make_quantity(const Arguments& in) {
  const auto parsed = Quantity::parse(in[0].as_string());
  if (!parsed) return evaluation_error(parsed.error().message());
  return wrap(*parsed);
}
Result<Value> is_quantity(const Arguments& in) {
  return Value::boolean(Quantity::parse(in[0].as_string()).ok());
}
Result<Value> sign(const Arguments& in) {
  return Value::integer(amount(in[0]).sign());
}
Result<Value> is_integer(const Arguments& in) {
  return Value::boolean(is_whole(amount(in[0])));
}
Result<Value> as_integer(const Arguments& in) {
  if (!is_whole(amount(in[0]))) return evaluation_error("cannot convert value to integer");
  return Value::integer(amount(in[0]).value());
}
Result<Value> as_float(const Arguments& in) {
  return Value::number(amount(in[0]).as_double());
}
Quantity operand(const Value& value) {
  return value.is(Value::Kind::Int) ? Quantity(value.as_int()) : amount(value);
}
Result<Value> add(const Arguments& in) {
  return wrap(amount(in[0]) + operand(in[1]));
}
Result<Value> sub(const Arguments& in) {
  return wrap(amount(in[0]) - operand(in[1]));
}
Result<Value> is_less(const Arguments& in) {
  return Value::boolean(amount(in[0]) < amount(in[1]));
}
Result<Value> is_greater(const Arguments& in) {
  return Value::boolean(amount(in[0]) > amount(in[1]));
}
Result<Value> compare_to(const Arguments& in) {
  const auto order = amount(in[0]) <=> amount(in[1]);
  return Value::integer(order < 0 ? -1 : order > 0 ? 1 : 0);
}

constexpr FunctionRow kRows[] = {
    {"quantity(string): Quantity", make_quantity, cost_of_first},
    {"isQuantity(string): bool", is_quantity, cost_of_first},
    {"Quantity.sign(): int", sign},
    {"Quantity.isInteger(): bool", is_integer},
    {"Quantity.asInteger(): int", as_integer},
    {"Quantity.asApproximateFloat(): double", as_float},
    {"Quantity.add(Quantity): Quantity", add},
    {"Quantity.add(int): Quantity", add},
    {"Quantity.sub(Quantity): Quantity", sub},
    {"Quantity.sub(int): Quantity", sub},
    {"Quantity.isLessThan(Quantity): bool", is_less},
    {"Quantity.isGreaterThan(Quantity): bool", is_greater},
    {"Quantity.compareTo(Quantity): int", compare_to},
};

}  // namespace

std::span<const FunctionRow> quantity_rows() {
  return kRows;
}

}  // namespace flotilla::cel
