// SPDX-License-Identifier: Apache-2.0
#include "core/base/time_zone.hpp"

#include <gtest/gtest.h>

namespace flotilla {
namespace {

std::string next(std::string_view schedule, std::string_view zone, std::string_view after) {
  const auto cron = CronSchedule::parse(schedule);
  const auto found = TimeZone::find(zone);
  if (!cron || !found) return "invalid";
  const auto time = next_in_zone(*cron, *found, *parse_time(after));
  return time ? format_time(*time) : "never";
}

TEST(TimeZone_Next, runs_by_the_clocks_of_the_zone) {
  EXPECT_EQ(next("0 8 * * *", "UTC", "2026-01-05T07:00:00Z"), "2026-01-05T08:00:00Z");
  EXPECT_EQ(next("0 8 * * *", "Asia/Shanghai", "2026-01-05T07:00:00Z"), "2026-01-06T00:00:00Z");
  EXPECT_EQ(next("30 9 * * 1-5", "America/New_York", "2026-01-02T15:00:00Z"), "2026-01-05T14:30:00Z");
  EXPECT_EQ(next("30 9 * * 1-5", "America/New_York", "2026-07-03T15:00:00Z"), "2026-07-06T13:30:00Z");
}

TEST(TimeZone_Next, skips_what_spring_leaves_out) {
  // 2026-03-29 02:00 becomes 03:00 in Berlin.
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-03-30T00:30:00Z");
  EXPECT_EQ(next("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
  EXPECT_EQ(next("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z"), "2026-03-29T01:00:00Z");
}

TEST(TimeZone_Next, runs_twice_in_the_hour_that_comes_twice) {
  // 2026-10-25 03:00 becomes 02:00 in Berlin.
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-25T01:30:00Z");
  EXPECT_EQ(next("30 2 * * *", "Europe/Berlin", "2026-10-25T01:30:00Z"), "2026-10-26T01:30:00Z");
}

TEST(TimeZone_Next, intervals_look_at_no_clock) {
  EXPECT_EQ(next("@every 90m", "Europe/Berlin", "2026-03-29T00:30:00Z"), "2026-03-29T02:00:00Z");
}

TEST(TimeZone_Find, refuses_what_there_is_not) {
  EXPECT_FALSE(TimeZone::find("Mars/Olympus_Mons").ok());
  EXPECT_TRUE(TimeZone::find("").ok());
}

}  // namespace
}  // namespace flotilla
