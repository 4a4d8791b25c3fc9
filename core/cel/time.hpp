// SPDX-License-Identifier: Apache-2.0
// Instants and spans as CEL has them. Internal to core/cel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/cel/value.hpp"

namespace flotilla::cel {

inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

// RFC 3339, with any fraction and offset.
std::optional<Value::Instant> parse_timestamp(std::string_view text);
// Go's time.ParseDuration.
std::optional<std::int64_t> parse_nanos(std::string_view text);
// "2023-01-02T03:04:05.5Z"; "90s", "1.5s".
std::string timestamp_text(Value::Instant instant);
std::string duration_text(std::int64_t nanos);

// Nothing when the sum leaves the years 1 to 9999.
std::optional<Value::Instant> shifted(Value::Instant instant, std::int64_t nanos);
// Nothing when it is no int64 of nanoseconds.
std::optional<std::int64_t> between(Value::Instant later, Value::Instant earlier);
bool in_range(Value::Instant instant);

// The clock on the wall.
struct Civil {
  std::int64_t year = 1970;
  int month = 0, day = 1;  // month from 0, day from 1
  int day_of_year = 0, weekday = 0;
  int hour = 0, minute = 0, second = 0, milli = 0;
};
Civil civil_of(Value::Instant instant, std::int64_t offset_seconds);
// "", "UTC", "+02:00", "-8:30", "Europe/Berlin" at that instant. Errors: Invalid.
Result<std::int64_t> zone_offset(std::string_view zone, Value::Instant at);

}  // namespace flotilla::cel
