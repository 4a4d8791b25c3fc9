// SPDX-License-Identifier: Apache-2.0
// Time zones of the system's database (tzdata), by name. adr 0008 says how they are read.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/cron.hpp"
#include "core/base/result.hpp"

namespace flotilla {

class TimeZone {
 public:
  // "Europe/Berlin"; "UTC"; empty or "Local": that of this machine. Errors: Invalid, no such zone.
  static Result<TimeZone> find(std::string_view name);

  // What has to be added to UTC at `time`, and the end of the time for which that holds.
  struct Offset {
    std::chrono::seconds utc{0};
    WallTime until;
  };
  Offset at(WallTime time) const;

 private:
  explicit TimeZone(const void* zone) : zone_(zone) {}
  const void* zone_;  // lives as long as the program; null: UTC
};

// The first time strictly after `after` that the schedule names on the clocks of this zone. What falls into
// the hour that is left out in spring is skipped; what falls into the one that comes twice comes twice.
std::optional<WallTime> next_in_zone(const CronSchedule& schedule, const TimeZone& zone, WallTime after);

}  // namespace flotilla
