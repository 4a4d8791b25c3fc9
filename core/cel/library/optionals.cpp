// SPDX-License-Identifier: Apache-2.0
// optional.of() and what can be asked of an optional value. or() and orValue() are lazy: the evaluator runs
// them.
#include "core/cel/functions.hpp"

namespace flotilla::cel {
namespace {

using Kind = Value::Kind;

bool is_zero(const Value& value) {
  switch (value.kind()) {
    case Kind::Null:
      return true;
    case Kind::Bool:
      return !value.as_bool();
    case Kind::Int:
      return value.as_int() == 0;
    case Kind::Uint:
      return value.as_uint() == 0;
    case Kind::Double:
      return value.as_double() == 0;
    case Kind::Duration:
      return value.as_duration() == 0;
    case Kind::String:
    case Kind::Bytes:
      return value.as_string().empty();
    case Kind::List:
    case Kind::Map:
      return value.size() == 0;
    case Kind::Optional:
      return value.content() == nullptr;
    default:
      return false;
  }
}

Result<Value> of(const Arguments& in) {
  return Value::some(in[0]);
}
Result<Value> of_non_zero(const Arguments& in) {
  return is_zero(in[0]) ? Value::none() : Value::some(in[0]);
}
Result<Value> none(const Arguments&) {
  return Value::none();
}
Result<Value> has_value(const Arguments& in) {
  return Value::boolean(in[0].content() != nullptr);
}
Result<Value> value(const Arguments& in) {
  if (const Value* content = in[0].content()) return *content;
  return evaluation_error("optional.none() dereference");
}

constexpr FunctionRow kRows[] = {
    {"optional.of(A): optional(A)", of},    {"optional.ofNonZeroValue(A): optional(A)", of_non_zero},
    {"optional.none(): optional(A)", none}, {"optional(A).hasValue(): bool", has_value},
    {"optional(A).value(): A", value},      {"optional(A).or(optional(A)): optional(A)"},
    {"optional(A).orValue(A): A"},
};

}  // namespace

std::span<const FunctionRow> optional_rows() {
  return kRows;
}

}  // namespace flotilla::cel
