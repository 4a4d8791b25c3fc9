// SPDX-License-Identifier: Apache-2.0
#include "scalar.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

namespace flotilla::plugins::field {
namespace {

using sdk::Json;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <typename... Texts>
bool any_of(std::string_view text, Texts... texts) {
  return ((text == texts) || ...);
}

std::optional<Scalar> resolve_word(std::string_view text) {
  if (any_of(text, "", "~", "null", "Null", "NULL")) return Scalar{ScalarType::Null, nullptr};
  if (any_of(text, "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")) {
    return Scalar{ScalarType::Bool, true};
  }
  if (any_of(text, "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")) {
    return Scalar{ScalarType::Bool, false};
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (any_of(text, ".nan", ".NaN", ".NAN")) {
    return Scalar{ScalarType::Float, std::numeric_limits<double>::quiet_NaN()};
  }
  if (any_of(text, ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"))
    return Scalar{ScalarType::Float, kInfinity};
  if (any_of(text, "-.inf", "-.Inf", "-.INF")) return Scalar{ScalarType::Float, -kInfinity};
  if (text == "<<") return Scalar{ScalarType::Merge, "<<"};
  return std::nullopt;
}

// Takes one to `most` digits off the front; -1: there are none.
int take_number(std::string_view& text, std::size_t most) {
  std::size_t length = 0;
  int value = 0;
  while (length < text.size() && length < most && is_digit(text[length]))
    value = value * 10 + (text[length++] - '0');
  text.remove_prefix(length);
  return length == 0 ? -1 : value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

bool in_range(int value, int low, int high) {
  return value >= low && value <= high;
}

// 2001-2-3, 2001-02-03T04:05:06.7Z, 2001-02-03 04:05:06
bool is_timestamp(std::string_view text) {
  if (text.size() < 8 || !std::all_of(text.begin(), text.begin() + 4, is_digit)) return false;
  text.remove_prefix(4);
  if (!take(text, '-') || !in_range(take_number(text, 2), 1, 12)) return false;
  if (!take(text, '-') || !in_range(take_number(text, 2), 1, 31)) return false;
  if (text.empty()) return true;
  const bool needs_zone = text[0] == 'T' || text[0] == 't';
  if (!needs_zone && text[0] != ' ') return false;
  text.remove_prefix(1);
  if (!in_range(take_number(text, 2), 0, 23)) return false;
  if (!take(text, ':') || !in_range(take_number(text, 2), 0, 59)) return false;
  if (!take(text, ':') || !in_range(take_number(text, 2), 0, 59)) return false;
  if (take(text, '.') && take_number(text, text.size()) < 0) return false;
  if (!needs_zone) return text.empty();
  if (text == "Z") return true;
  if (!take(text, '+') && !take(text, '-')) return false;
  return text.size() == 5 && in_range(take_number(text, 2), 0, 24) && take(text, ':') &&
         in_range(take_number(text, 2), 0, 60) && text.empty();
}

// Decimal, 0x, 0o, 0b, and octal with a leading zero.
std::optional<Json> to_int(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t size = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), size, base);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!negative) return size <= INT64_MAX ? Json(static_cast<std::int64_t>(size)) : Json(size);
  if (size > static_cast<std::uint64_t>(INT64_MAX) + 1) return std::nullopt;
  return Json(static_cast<std::int64_t>(0 - size));
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
std::optional<double> to_float(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::string_view shape = text;
  take(shape, '-');
  const auto digits = [&] {
    const auto end = std::find_if_not(shape.begin(), shape.end(), is_digit);
    const auto count = static_cast<std::size_t>(end - shape.begin());
    shape.remove_prefix(count);
    return count;
  };
  const std::size_t whole = digits();
  const std::size_t fraction = take(shape, '.') ? digits() : 0;
  if (whole + fraction == 0) return std::nullopt;
  if (shape.starts_with('e') || shape.starts_with('E')) {
    shape.remove_prefix(1);
    if (shape.starts_with('-') || shape.starts_with('+')) shape.remove_prefix(1);
    if (digits() == 0) return std::nullopt;
  }
  if (!shape.empty()) return std::nullopt;
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

Scalar resolve_plain(std::string_view text) {
  if (auto word = resolve_word(text)) return *word;
  Scalar as_text{ScalarType::String, text};
  const char first = text[0];
  if (first == '.') {
    const auto number = to_float(text);
    return number ? Scalar{ScalarType::Float, *number} : as_text;
  }
  if (!is_digit(first) && first != '-' && first != '+') return as_text;
  if (is_timestamp(text)) return {ScalarType::Timestamp, text};
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  if (auto number = to_int(plain)) return {ScalarType::Int, std::move(*number)};
  if (auto number = to_float(plain)) return {ScalarType::Float, *number};
  return as_text;
}

}  // namespace flotilla::plugins::field
