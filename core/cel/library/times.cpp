// SPDX-License-Identifier: Apache-2.0
// getFullYear() and its kin, of timestamps (with an optional time zone) and durations.
#include "core/cel/functions.hpp"
#include "core/cel/time.hpp"

namespace flotilla::cel {
namespace {

// One part of the wall clock.
template <typename Part>
Result<Value> civil_part(const Arguments& in, Part part) {
  const Value::Instant instant = in[0].as_timestamp();
  const auto offset = zone_offset(in.size() > 1 ? in[1].as_string() : std::string_view(), instant);
  if (!offset) return offset.error();
  return Value::integer(part(civil_of(instant, *offset)));
}

Result<Value> full_year(const Arguments& in) {
  return civil_part(in, [](const Civil& civil) { return civil.year; });
}
Result<Value> month(const Arguments& in) {
  return civil_part(in, [](const Civil& civil) { return std::int64_t{civil.month}; });
}
Result<Value> day_of_year(const Arguments& in) {
  return civil_part(in, [](const Civil& civil) { return std::int64_t{civil.day_of_year}; });
}
Result<Value> day_of_month(const Arguments& in) {
  return civil_part(in, [](const Civil& civil) { return std::int64_t{civil.day - 1}; });
}
Result<Value> date(const Arguments& in) {
  return civil_part(in, [](const Civil& civil) { return std::int64_t{civil.day}; });
}
Result<Value> day_of_week(const Arguments& in) {
  return civil_part(in, [](const Civil& civil) { return std::int64_t{civil.weekday}; });
}
Result<Value> hours(const Arguments& in) {
  if (in[0].is(Value::Kind::Duration)) return Value::integer(in[0].as_duration() / kNanosPerSecond / 3600);
  return civil_part(in, [](const Civil& civil) { return std::int64_t{civil.hour}; });
}
Result<Value> minutes(const Arguments& in) {
  if (in[0].is(Value::Kind::Duration)) return Value::integer(in[0].as_duration() / kNanosPerSecond / 60);
  return civil_part(in, [](const Civil& civil) { return std::int64_t{civil.minute}; });
}
Result<Value> seconds(const Arguments& in) {
  if (in[0].is(Value::Kind::Duration)) return Value::integer(in[0].as_duration() / kNanosPerSecond);
  return civil_part(in, [](const Civil& civil) { return std::int64_t{civil.second}; });
}
Result<Value> milliseconds(const Arguments& in) {
  if (in[0].is(Value::Kind::Duration)) return Value::integer(in[0].as_duration() / 1'000'000);
  return civil_part(in, [](const Civil& civil) { return std::int64_t{civil.milli}; });
}

constexpr FunctionRow kRows[] = {
    {"timestamp.getFullYear(): int", full_year},
    {"timestamp.getFullYear(string): int", full_year},
    {"timestamp.getMonth(): int", month},
    {"timestamp.getMonth(string): int", month},
    {"timestamp.getDayOfYear(): int", day_of_year},
    {"timestamp.getDayOfYear(string): int", day_of_year},
    {"timestamp.getDayOfMonth(): int", day_of_month},
    {"timestamp.getDayOfMonth(string): int", day_of_month},
    {"timestamp.getDate(): int", date},
    {"timestamp.getDate(string): int", date},
    {"timestamp.getDayOfWeek(): int", day_of_week},
    {"timestamp.getDayOfWeek(string): int", day_of_week},
    {"timestamp.getHours(): int", hours},
    {"timestamp.getHours(string): int", hours},
    {"duration.getHours(): int", hours},
    {"timestamp.getMinutes(): int", minutes},
    {"timestamp.getMinutes(string): int", minutes},
    {"duration.getMinutes(): int", minutes},
    {"timestamp.getSeconds(): int", seconds},
    {"timestamp.getSeconds(string): int", seconds},
    {"duration.getSeconds(): int", seconds},
    {"timestamp.getMilliseconds(): int", milliseconds},
    {"timestamp.getMilliseconds(string): int", milliseconds},
    {"duration.getMilliseconds(): int", milliseconds},
};

}  // namespace

std::span<const FunctionRow> time_rows() {
  return kRows;
}

}  // namespace flotilla::cel
