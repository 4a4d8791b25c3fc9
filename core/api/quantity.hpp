// SPDX-License-Identifier: Apache-2.0
// Kubernetes quantities: 100m, 1.5Gi, 2e3. Held exactly, in billionths; smaller fractions round away from
// zero and what no int64 can hold is capped, as Kubernetes does.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

class Quantity {
 public:
  // How it is written: 1500m or 2M, 2Ki, 2e6.
  enum class Format : std::uint8_t { DecimalSI, BinarySI, DecimalExponent };

  Quantity() = default;
  explicit Quantity(std::int64_t value, Format format = Format::DecimalSI);
  static Quantity from_milli(std::int64_t value, Format format = Format::DecimalSI);

  // Errors: Invalid, worded as Kubernetes does.
  static Result<Quantity> parse(std::string_view text);
  // A string, a number, or null (zero).
  static Result<Quantity> from_json(const Json& value);

  // Rounded away from zero and capped.
  std::int64_t value() const;
  std::int64_t milli_value() const;
  double as_double() const;
  bool is_zero() const { return nanos_ == 0; }
  int sign() const { return nanos_ < 0 ? -1 : nanos_ > 0 ? 1 : 0; }
  Format format() const { return format_; }

  // Sums keep the format of the left side unless that is zero.
  Quantity& operator+=(const Quantity& other);
  Quantity& operator-=(const Quantity& other);
  Quantity& operator*=(std::int64_t factor);
  friend Quantity operator+(Quantity a, const Quantity& b) { return a += b; }
  friend Quantity operator-(Quantity a, const Quantity& b) { return a -= b; }
  friend Quantity operator*(Quantity a, std::int64_t factor) { return a *= factor; }
  // By value: 1 equals 1000m.
  std::strong_ordering operator<=>(const Quantity& other) const { return nanos_ <=> other.nanos_; }
  bool operator==(const Quantity& other) const { return nanos_ == other.nanos_; }

  // The canonical form: no precision lost, no fractional digits, the largest suffix that allows it.
  std::string to_string() const;

 private:
  __extension__ using Wide = __int128;

  Quantity(Wide nanos, Format format) : nanos_(nanos), format_(format) {}

  Wide nanos_ = 0;
  Format format_ = Format::DecimalSI;
};

}  // namespace flotilla::api
