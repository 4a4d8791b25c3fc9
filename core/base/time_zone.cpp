// SPDX-License-Identifier: Apache-2.0
#include "core/base/time_zone.hpp"

#include <date/tz.h>

#include <exception>
#include <string>

namespace flotilla {

Result<TimeZone> TimeZone::find(std::string_view name) {
  if (name == "UTC") return TimeZone(nullptr);
  try {
    const bool local = name.empty() || name == "Local";
    return TimeZone(local ? date::current_zone() : date::locate_zone(std::string(name)));
  } catch (const std::exception&) {
    // A machine without tzdata runs on UTC.
    if (name.empty() || name == "Local") return TimeZone(nullptr);
    return invalid("unknown time zone " + std::string(name));
  }
}

TimeZone::Offset TimeZone::at(WallTime time) const {
  if (zone_ == nullptr) return {std::chrono::seconds(0), WallTime::max()};
  const auto info =
      static_cast<const date::time_zone*>(zone_)->get_info(std::chrono::floor<std::chrono::seconds>(time));
  // The last period has no end that fits into nanoseconds.
  const bool endless = info.end.time_since_epoch() > std::chrono::hours(24 * 365 * 200);
  return {info.offset, endless ? WallTime::max() : WallTime(info.end)};
}

std::optional<WallTime> next_in_zone(const CronSchedule& schedule, const TimeZone& zone, WallTime after) {
  if (schedule.is_interval()) return schedule.next(after);
  constexpr int kPeriods = 64;  // changes of the clocks in the years that a schedule looks ahead
  TimeZone::Offset period = zone.at(after);
  for (int i = 0; i < kPeriods; ++i) {
    const auto next = schedule.next(after + period.utc);
    if (!next) return std::nullopt;
    const WallTime found = *next - period.utc;
    if (found < period.until) return found;
    after = period.until - std::chrono::seconds(1);
    period = zone.at(period.until);
  }
  return std::nullopt;
}

}  // namespace flotilla
