// SPDX-License-Identifier: Apache-2.0
// Cron schedules as CronJob takes them: five fields (minute, hour, day of month, month, day of week) with
// lists, ranges and steps, names of months and days, and @hourly, @daily, @midnight, @weekly, @monthly,
// @yearly, @annually,
// @every <duration>. UTC. (crontab(5); Debian 12 has no C or C++ library for it.)
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "core/base/clock.hpp"

namespace flotilla {

class CronSchedule {
 public:
  // Errors: Invalid, with the field at fault.
  static Result<CronSchedule> parse(std::string_view text);
  // The first time strictly after `after`; nullopt if there is none within five years (30 February).
  std::optional<WallTime> next(WallTime after) const;
  bool is_interval() const { return every_ > Duration(0); }  // @every: no clock is looked at

 private:
  Duration every_{0};
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool any_day_ = true;
  bool any_weekday_ = true;
};

}  // namespace flotilla
