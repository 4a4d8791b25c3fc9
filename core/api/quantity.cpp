// SPDX-License-Identifier: Apache-2.0
#include "core/api/quantity.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace flotilla::api {
namespace {

__extension__ using Wide = __int128;

constexpr Wide kNano = 1'000'000'000;
constexpr Wide kMax = (Wide(1) << 126) - 1;  // sums of two of these do not overflow
constexpr std::int64_t kMaxValue = std::numeric_limits<std::int64_t>::max();

struct Suffix {
  Quantity::Format format;
  int exponent;  // of 10, or of 2 for BinarySI
};

std::optional<Suffix> read_suffix(std::string_view text) {
  using Format = Quantity::Format;
  static constexpr std::pair<std::string_view, Suffix> kKnown[] = {
      {"", {Format::DecimalSI, 0}},   {"n", {Format::DecimalSI, -9}}, {"u", {Format::DecimalSI, -6}},
      {"m", {Format::DecimalSI, -3}}, {"k", {Format::DecimalSI, 3}},  {"M", {Format::DecimalSI, 6}},
      {"G", {Format::DecimalSI, 9}},  {"T", {Format::DecimalSI, 12}}, {"P", {Format::DecimalSI, 15}},
      {"E", {Format::DecimalSI, 18}}, {"Ki", {Format::BinarySI, 10}}, {"Mi", {Format::BinarySI, 20}},
      {"Gi", {Format::BinarySI, 30}}, {"Ti", {Format::BinarySI, 40}}, {"Pi", {Format::BinarySI, 50}},
      {"Ei", {Format::BinarySI, 60}}};
  for (const auto& [name, suffix] : kKnown) {
    if (name == text) return suffix;
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  std::string_view number = text.substr(1);
  if (number[0] == '+') number.remove_prefix(1);
  int exponent = 0;
  const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), exponent);
  if (failure != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return Suffix{Format::DecimalExponent, exponent};
}

Wide times(Wide value, Wide factor) {
  if (value != 0 && factor > kMax / value) return kMax;
  return value * factor;
}

// value * 10^exponent; fractions round up.
Wide scaled(Wide value, int exponent) {
  for (; exponent > 0 && value != 0 && value < kMax; --exponent) value = times(value, 10);
  bool lost = false;
  for (; exponent < 0 && value != 0; ++exponent) {
    lost = lost || value % 10 != 0;
    value /= 10;
  }
  return lost ? value + 1 : value;
}

// Rounded away from zero, capped.
std::int64_t divided(Wide nanos, Wide unit) {
  const bool negative = nanos < 0;
  const Wide size = negative ? -nanos : nanos;
  const Wide whole = std::min<Wide>(size / unit + (size % unit != 0 ? 1 : 0), kMaxValue);
  return static_cast<std::int64_t>(negative ? -whole : whole);
}

std::string print(Wide value) {
  if (value < 0) return "-" + print(-value);
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string print_decimal(Wide nanos, Quantity::Format format) {
  int exponent = -9;
  while (nanos % 1000 == 0) {
    nanos /= 1000;
    exponent += 3;
  }
  static constexpr std::string_view kSuffixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
  const bool named = format == Quantity::Format::DecimalSI && exponent <= 18;
  if (named) return print(nanos).append(kSuffixes[(exponent + 9) / 3]);
  return exponent == 0 ? print(nanos) : print(nanos) + "e" + std::to_string(exponent);
}

std::string print_binary(Wide value) {
  static constexpr std::string_view kSuffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  int step = 0;
  while (step < 6 && value % 1024 == 0) {
    value /= 1024;
    ++step;
  }
  return print(value).append(kSuffixes[step]);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::string_view suffix;
};

std::optional<Parts> split(std::string_view text) {
  Parts parts;
  if (text.starts_with('-') || text.starts_with('+')) {
    parts.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const auto digits = [&] {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const std::string_view found = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(found.size());
    return found;
  };
  parts.whole = digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    parts.fraction = digits();
  }
  if (parts.whole.empty() && parts.fraction.empty()) return std::nullopt;
  parts.suffix = text;
  // What follows the digits has the shape of a suffix: letters, a sign, digits.
  const auto letters = std::min(text.find_first_not_of("eEinumkKMGTP"), text.size());
  text.remove_prefix(letters);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (!std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  return parts;
}

}  // namespace

Quantity::Quantity(std::int64_t value, Format format) : nanos_(Wide(value) * kNano), format_(format) {}

Quantity Quantity::from_milli(std::int64_t value, Format format) {
  return Quantity(Wide(value) * (kNano / 1000), format);
}

Result<Quantity> Quantity::parse(std::string_view text) {
  const std::optional<Parts> parts = split(text);
  if (!parts) {
    return invalid(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }
  const std::optional<Suffix> suffix = read_suffix(parts->suffix);
  if (!suffix) return invalid("unable to parse quantity's suffix");

  Wide mantissa = 0;
  for (const char c : parts->whole) mantissa = std::min(times(mantissa, 10) + (c - '0'), kMax);
  int scale = 9;  // of the mantissa, in billionths
  bool dropped = false;
  for (const char c : parts->fraction) {
    if (mantissa > kMax / 100) {
      dropped = dropped || c != '0';
      continue;
    }
    mantissa = mantissa * 10 + (c - '0');
    --scale;
  }
  Format format = suffix->format;
  Wide nanos = 0;
  if (format == Format::BinarySI) {
    nanos = scaled(times(mantissa, Wide(1) << suffix->exponent), scale);
    if (nanos > 0 && nanos < kNano) format = Format::DecimalSI;
    nanos = std::min<Wide>(nanos, Wide(kMaxValue) * kNano);
  } else {
    nanos = scaled(mantissa, scale + suffix->exponent);
  }
  if (dropped && nanos < kMax) nanos += 1;
  return Quantity(parts->negative ? -nanos : nanos, format);
}

Result<Quantity> Quantity::from_json(const Json& value) {
  if (value.is_null()) return Quantity();
  return parse(value.is_string() ? std::string(value.as_string()) : value.dump());
}

std::int64_t Quantity::value() const {
  return divided(nanos_, kNano);
}

std::int64_t Quantity::milli_value() const {
  return divided(nanos_, kNano / 1000);
}

double Quantity::as_double() const {
  return static_cast<double>(nanos_) / 1e9;
}

Quantity& Quantity::operator+=(const Quantity& other) {
  if (nanos_ == 0) format_ = other.format_;
  nanos_ = std::clamp<Wide>(nanos_ + other.nanos_, -kMax, kMax);
  return *this;
}

Quantity& Quantity::operator-=(const Quantity& other) {
  if (nanos_ == 0) format_ = other.format_;
  nanos_ = std::clamp<Wide>(nanos_ - other.nanos_, -kMax, kMax);
  return *this;
}

Quantity& Quantity::operator*=(std::int64_t factor) {
  const bool negative = (nanos_ < 0) != (factor < 0);
  const Wide wide_factor = factor < 0 ? -Wide(factor) : Wide(factor);
  const Wide size = times(nanos_ < 0 ? -nanos_ : nanos_, wide_factor);
  nanos_ = negative ? -size : size;
  return *this;
}

std::string Quantity::to_string() const {
  if (nanos_ == 0) return "0";
  if (format_ != Format::BinarySI) return print_decimal(nanos_, format_);
  const bool small = nanos_ > -1024 * kNano && nanos_ < 1024 * kNano;
  if (small || nanos_ % kNano != 0) return print_decimal(nanos_, Format::DecimalSI);
  return print_binary(nanos_ / kNano);
}

}  // namespace flotilla::api
