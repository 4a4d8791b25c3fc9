// SPDX-License-Identifier: Apache-2.0
#include "core/base/cron.hpp"

#include <gtest/gtest.h>

namespace flotilla {
namespace {

std::string next(std::string_view schedule, std::string_view after) {
  const auto parsed = CronSchedule::parse(schedule);
  if (!parsed) return parsed.error().message();
  const auto time = parsed->next(*parse_time(after));
  return time ? format_time(*time) : "never";
}

TEST(Base_Cron, finds_the_next_time) {
  EXPECT_EQ(next("*/5 * * * *", "2026-01-01T00:00:00Z"), "2026-01-01T00:05:00Z");
  EXPECT_EQ(next("0 0 1 1 *", "2026-01-01T00:00:00Z"), "2027-01-01T00:00:00Z");
  EXPECT_EQ(next("30 4 * * mon-fri", "2026-01-02T05:00:00Z"), "2026-01-05T04:30:00Z");
  EXPECT_EQ(next("0 12 13 * fri", "2026-01-01T00:00:00Z"), "2026-01-02T12:00:00Z");
  EXPECT_EQ(next("0 0 * * 7", "2026-01-01T00:00:00Z"), "2026-01-04T00:00:00Z");
  EXPECT_EQ(next("@hourly", "2026-01-01T00:59:30Z"), "2026-01-01T01:00:00Z");
  EXPECT_EQ(next("@every 90s", "2026-01-01T00:00:00Z"), "2026-01-01T00:01:30Z");
  EXPECT_EQ(next("0 0 30 2 *", "2026-01-01T00:00:00Z"), "never");
}

TEST(Base_Cron, names_the_field_at_fault) {
  EXPECT_EQ(next("60 * * * *", "2026-01-01T00:00:00Z"), "cron schedule: field minute: \"60\" is not in 0-59");
  EXPECT_EQ(next("* * * foo *", "2026-01-01T00:00:00Z"),
            "cron schedule: field month: \"foo\" is not in 1-12");
  EXPECT_EQ(next("* * *", "2026-01-01T00:00:00Z"), "cron schedule: expected exactly 5 fields, found 3");
}

}  // namespace
}  // namespace flotilla
