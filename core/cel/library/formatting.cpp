// SPDX-License-Identifier: Apache-2.0
// "%d of %s".format([1, "x"]).
#include <algorithm>
#include <cmath>

#include "core/cel/functions.hpp"
#include "core/cel/time.hpp"

namespace flotilla::cel {
namespace {

using Kind = Value::Kind;
using Text = Result<std::string>;

constexpr int kDepth = 32;

Error bad_argument(std::string_view clause, const Value& value, std::string_view wanted) {
  return evaluation_error("error during formatting: " + std::string(clause) + " clause can only be used on " +
                          std::string(wanted) + ", was given " + std::string(value.type_name()));
}

Text plain_text(const Value& value, int depth);

Text list_text(const Value& list, int depth) {
  std::string out = "[";
  std::optional<Error> error;
  list.each([&](const Value& element) {
    auto text = plain_text(element, depth + 1);
    if (!text) return error = text.error(), false;
    out += (out.size() > 1 ? ", " : "") + *text;
    return out.size() <= kLargestText;
  });
  if (error) return *error;
  return out + "]";
}

// Keys in the order of their texts.
Text map_text(const Value& map, int depth) {
  std::vector<std::pair<std::string, std::string>> entries;
  std::optional<Error> error;
  map.each_entry([&](const Value& key, const Value& value) {
    auto name = plain_text(key, depth + 1);
    auto text = plain_text(value, depth + 1);
    if (!name || !text) return error = name ? text.error() : name.error(), false;
    entries.emplace_back(*std::move(name), *std::move(text));
    return true;
  });
  if (error) return *error;
  std::sort(entries.begin(), entries.end());
  std::string out = "{";
  for (const auto& [key, text] : entries) out += (out.size() > 1 ? ", " : "") + key + ": " + text;
  return out + "}";
}

Text plain_text(const Value& value, int depth) {
  if (depth > kDepth) return evaluation_error("error during formatting: too deeply nested");
  switch (value.kind()) {
    case Kind::Null:
      return std::string("null");
    case Kind::Bool:
      return std::string(value.as_bool() ? "true" : "false");
    case Kind::Int:
      return std::to_string(value.as_int());
    case Kind::Uint:
      return std::to_string(value.as_uint());
    case Kind::Double:
      if (std::isinf(value.as_double())) return std::string(value.as_double() > 0 ? "Infinity" : "-Infinity");
      return plain_double_text(value.as_double());
    case Kind::String:
    case Kind::Bytes:
      return std::string(value.as_string());
    case Kind::Timestamp:
      return timestamp_text(value.as_timestamp());
    case Kind::Duration:
      return duration_text(value.as_duration());
    case Kind::List:
      return list_text(value, depth);
    case Kind::Map:
      return map_text(value, depth);
    case Kind::Type:
      return std::string(type_name_of(*value.as_type()));
    default:
      return bad_argument(
          "string", value,
          "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps");
  }
}

Text decimal_text(const Value& value) {
  if (value.is(Kind::Int)) return std::to_string(value.as_int());
  if (value.is(Kind::Uint)) return std::to_string(value.as_uint());
  if (value.is(Kind::Double) && !std::isfinite(value.as_double())) return plain_text(value, 0);
  return bad_argument("decimal", value, "ints, uints, and doubles");
}

std::string digits_of(std::uint64_t size, unsigned base, bool upper) {
  const char* signs = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do out.insert(out.begin(), signs[size % base]);
  while ((size /= base) != 0);
  return out;
}

Text based_text(const Value& value, char verb) {
  const unsigned base = verb == 'b' ? 2 : verb == 'o' ? 8 : 16;
  const bool upper = verb == 'X';
  if (value.is(Kind::Int)) {
    const std::int64_t number = value.as_int();
    const auto size = static_cast<std::uint64_t>(number);
    return (number < 0 ? "-" : "") + digits_of(number < 0 ? 0 - size : size, base, upper);
  }
  if (value.is(Kind::Uint)) return digits_of(value.as_uint(), base, upper);
  if (verb == 'b' && value.is(Kind::Bool)) return std::string(value.as_bool() ? "1" : "0");
  if (base == 16 && (value.is(Kind::String) || value.is(Kind::Bytes))) {
    std::string out;
    for (const char c : value.as_string()) {
      const std::string digits = digits_of(static_cast<unsigned char>(c), 16, upper);
      out += (digits.size() < 2 ? "0" : "") + digits;
    }
    return out;
  }
  if (verb == 'b') return bad_argument("binary", value, "integers and bools");
  if (verb == 'o') return bad_argument("octal", value, "integers");
  return bad_argument("hex", value, "integers, byte buffers, and strings");
}

Text float_text(const Value& value, char verb, int precision) {
  double number = value.as_double();
  if (value.is(Kind::Int)) number = static_cast<double>(value.as_int());
  if (value.is(Kind::Uint)) number = static_cast<double>(value.as_uint());
  if (!value.is_number())
    return bad_argument(verb == 'f' ? "fixed-point" : "scientific", value,
                        verb == 'f' ? "doubles" : "doubles");
  if (!std::isfinite(number)) return plain_text(Value::number(number), 0);
  return verb == 'f' ? fixed_text(number, precision) : scientific_text(number, precision);
}

Text clause_text(const Value& value, char verb, int precision) {
  switch (verb) {
    case 's':
      return plain_text(value, 0);
    case 'd':
      return decimal_text(value);
    case 'f':
    case 'e':
      return float_text(value, verb, precision);
    default:
      return based_text(value, verb);
  }
}

Result<Value> format(const Arguments& in) {
  const std::string_view text = in[0].as_string();
  std::string out;
  std::size_t next = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (++at >= text.size()) return evaluation_error("unexpected end of string");
    if (text[at] == '%') {
      out += '%';
      continue;
    }
    int precision = 6;
    if (text[at] == '.') {
      precision = 0;
      for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
        precision = std::min(precision * 10 + (text[at] - '0'), 1000);
      if (at >= text.size()) return evaluation_error("could not find end of precision specifier");
    }
    if (std::string_view("sdfebxXo").find(text[at]) == std::string_view::npos)
      return evaluation_error("could not parse formatting clause: unrecognized formatting clause \"" +
                              std::string(text.substr(at, character_length(text, at))) + "\"");
    if (next >= in[1].size()) return evaluation_error("index " + std::to_string(next) + " out of range");
    auto clause = clause_text(in[1].element(next++), text[at], precision);
    if (!clause) return clause.error();
    out += *clause;
    if (out.size() > kLargestText)
      return Error(Code::ResourceExhausted, "operation cancelled: actual cost limit exceeded");
  }
  note_work(out.size() / 64);
  return Value::string(std::move(out));
}

constexpr FunctionRow kRows[] = {
    {"string.format(list(dyn)): string", format, cost_of_first},
};

}  // namespace

std::span<const FunctionRow> format_rows() {
  return kRows;
}

}  // namespace flotilla::cel
