// SPDX-License-Identifier: Apache-2.0
// int(), string(), size(), type() and the other functions of the standard library that are not about time.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/cel/functions.hpp"
#include "core/cel/time.hpp"

namespace flotilla::cel {
namespace {

using Kind = Value::Kind;

Error conversion_failed(const Value& from, std::string_view to) {
  return evaluation_error("type conversion error from '" + std::string(from.type_name()) + "' to '" +
                          std::string(to) + "'");
}

Result<Value> identity(const Arguments& in) {
  return in[0];
}

template <typename T>
std::optional<T> read_integer(std::string_view text) {
  if (std::is_signed_v<T> && text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  T value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<Value> to_int(const Arguments& in) {
  const Value& from = in[0];
  switch (from.kind()) {
    case Kind::Uint:
      if (from.as_uint() > static_cast<std::uint64_t>(INT64_MAX)) return evaluation_error("integer overflow");
      return Value::integer(static_cast<std::int64_t>(from.as_uint()));
    case Kind::Double:
      if (!(from.as_double() > -9223372036854775808.0 && from.as_double() < 9223372036854775808.0))
        return evaluation_error("integer overflow");
      return Value::integer(static_cast<std::int64_t>(from.as_double()));
    case Kind::String:
      if (const auto read = read_integer<std::int64_t>(from.as_string())) return Value::integer(*read);
      return conversion_failed(from, "int");
    case Kind::Timestamp:
      return Value::integer(from.as_timestamp().seconds);
    default:
      return Value::integer(from.as_duration());
  }
}

Result<Value> to_uint(const Arguments& in) {
  const Value& from = in[0];
  switch (from.kind()) {
    case Kind::Int:
      if (from.as_int() < 0) return evaluation_error("unsigned integer overflow");
      return Value::unsigned_integer(static_cast<std::uint64_t>(from.as_int()));
    case Kind::Double:
      if (!(from.as_double() >= 0 && from.as_double() < 18446744073709551616.0))
        return evaluation_error("unsigned integer overflow");
      return Value::unsigned_integer(static_cast<std::uint64_t>(from.as_double()));
    default:
      if (const auto read = read_integer<std::uint64_t>(from.as_string()))
        return Value::unsigned_integer(*read);
      return conversion_failed(from, "uint");
  }
}

Result<Value> to_double(const Arguments& in) {
  const Value& from = in[0];
  if (from.is(Kind::Int)) return Value::number(static_cast<double>(from.as_int()));
  if (from.is(Kind::Uint)) return Value::number(static_cast<double>(from.as_uint()));
  const std::string text(from.as_string());
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size() ||
      std::isspace(static_cast<unsigned char>(text[0])) ||
      (std::isinf(value) && text.find_first_of("iI") == std::string::npos))
    return conversion_failed(from, "double");
  return Value::number(value);
}

Result<Value> to_bool(const Arguments& in) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (in[0].as_string() == yes) return Value::boolean(true);
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
    if (in[0].as_string() == no) return Value::boolean(false);
  return conversion_failed(in[0], "bool");
}

Result<Value> to_bytes(const Arguments& in) {
  return Value::bytes(std::string(in[0].as_string()));
}

Result<Value> to_string(const Arguments& in) {
  const Value& from = in[0];
  switch (from.kind()) {
    case Kind::Bool:
      return Value::string(from.as_bool() ? "true" : "false");
    case Kind::Int:
      return Value::string(std::to_string(from.as_int()));
    case Kind::Uint:
      return Value::string(std::to_string(from.as_uint()));
    case Kind::Double:
      return Value::string(double_text(from.as_double()));
    case Kind::Bytes:
      if (!is_utf8(from.as_string()))
        return evaluation_error("invalid UTF-8 in bytes, cannot convert to string");
      return Value::string(std::string(from.as_string()));
    case Kind::Timestamp:
      return Value::string(timestamp_text(from.as_timestamp()));
    default:
      return Value::string(duration_text(from.as_duration()));
  }
}

Result<Value> to_timestamp(const Arguments& in) {
  if (in[0].is(Kind::Int)) {
    const Value::Instant instant{in[0].as_int(), 0};
    if (!in_range(instant)) return evaluation_error("timestamp overflow");
    return Value::timestamp(instant);
  }
  if (const auto instant = parse_timestamp(in[0].as_string())) return Value::timestamp(*instant);
  return conversion_failed(in[0], "google.protobuf.Timestamp");
}

Result<Value> to_duration(const Arguments& in) {
  if (in[0].is(Kind::Int)) return Value::duration(in[0].as_int());
  if (const auto nanos = parse_nanos(in[0].as_string())) return Value::duration(*nanos);
  return conversion_failed(in[0], "google.protobuf.Duration");
}

TypePtr type_of_value(const Value& value) {
  if (TypePtr named = find_type(value.type_name())) return named;
  return Type::opaque(std::string(value.type_name()));
}

Result<Value> to_type(const Arguments& in) {
  return Value::type(type_of_value(in[0]));
}

Result<Value> size_of(const Arguments& in) {
  const Value& of = in[0];
  if (of.is(Kind::String)) return Value::integer(static_cast<std::int64_t>(count_characters(of.as_string())));
  if (of.is(Kind::Bytes)) return Value::integer(static_cast<std::int64_t>(of.as_string().size()));
  return Value::integer(static_cast<std::int64_t>(of.size()));
}

Result<Value> starts_with(const Arguments& in) {
  return Value::boolean(in[0].as_string().starts_with(in[1].as_string()));
}
Result<Value> ends_with(const Arguments& in) {
  return Value::boolean(in[0].as_string().ends_with(in[1].as_string()));
}
Result<Value> contains(const Arguments& in) {
  return Value::boolean(in[0].as_string().find(in[1].as_string()) != std::string_view::npos);
}

std::uint64_t cost_of_contains(std::span<const Value> in, const Value&) {
  return traversal(static_cast<double>(in[0].cost_size())) *
         traversal(static_cast<double>(in[1].cost_size()));
}

constexpr FunctionRow kRows[] = {
    {"dyn(A): dyn", identity},
    {"type(A): type(A)", to_type},
    {"int(int): int", identity},
    {"int(uint): int", to_int},
    {"int(double): int", to_int},
    {"int(string): int", to_int},
    {"int(timestamp): int", to_int},
    {"int(duration): int", to_int},
    {"uint(uint): uint", identity},
    {"uint(int): uint", to_uint},
    {"uint(double): uint", to_uint},
    {"uint(string): uint", to_uint},
    {"double(double): double", identity},
    {"double(int): double", to_double},
    {"double(uint): double", to_double},
    {"double(string): double", to_double},
    {"bool(bool): bool", identity},
    {"bool(string): bool", to_bool},
    {"bytes(bytes): bytes", identity},
    {"bytes(string): bytes", to_bytes, cost_of_first},
    {"string(string): string", identity},
    {"string(bool): string", to_string},
    {"string(int): string", to_string},
    {"string(uint): string", to_string},
    {"string(double): string", to_string},
    {"string(bytes): string", to_string, cost_of_first},
    {"string(timestamp): string", to_string},
    {"string(duration): string", to_string},
    {"timestamp(timestamp): timestamp", identity},
    {"timestamp(string): timestamp", to_timestamp},
    {"timestamp(int): timestamp", to_timestamp},
    {"duration(duration): duration", identity},
    {"duration(string): duration", to_duration},
    {"duration(int): duration", to_duration},
    {"size(string): int", size_of},
    {"size(bytes): int", size_of},
    {"size(list(A)): int", size_of},
    {"size(map(A, B)): int", size_of},
    {"string.size(): int", size_of},
    {"bytes.size(): int", size_of},
    {"list(A).size(): int", size_of},
    {"map(A, B).size(): int", size_of},
    {"string.startsWith(string): bool", starts_with, cost_of_first},
    {"string.endsWith(string): bool", ends_with, cost_of_first},
    {"string.contains(string): bool", contains, cost_of_contains},
};

}  // namespace

std::span<const FunctionRow> conversion_rows() {
  return kRows;
}

}  // namespace flotilla::cel
