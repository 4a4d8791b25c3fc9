// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.hpp"

#include <gtest/gtest.h>

namespace flotilla {
namespace {

TEST(Base_Clock, parses_and_prints_rfc_3339) {
  for (const char* text : {"2026-01-02T03:04:05Z", "1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z"}) {
    const auto time = parse_time(text);
    ASSERT_TRUE(time.ok()) << text;
    EXPECT_EQ(format_time(*time), text);
  }
  EXPECT_EQ(format_micro_time(*parse_time("2026-01-02T05:04:05.123456789+02:00")),
            "2026-01-02T03:04:05.123456Z");
  for (const char* text :
       {"", "2026-01-02", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05", "2026-02-30T03:04:05Z"}) {
    EXPECT_FALSE(parse_time(text).ok()) << text;
  }
}

TEST(Base_Clock, holds_what_is_too_early_or_too_late_as_far_as_it_can) {
  const auto late = parse_time("9999-12-31T23:59:59.5Z"), early = parse_time("0001-01-01T00:00:00+01:00");
  ASSERT_TRUE(late && early);
  EXPECT_GT(*late, *parse_time("2249-12-31T00:00:00Z"));
  EXPECT_LT(*early, *parse_time("1700-01-02T00:00:00Z"));
  EXPECT_GT(*late + std::chrono::hours(24 * 3650), *late);
}

TEST(Base_Clock, parses_and_prints_durations_as_go_does) {
  const std::pair<const char*, const char*> cases[] = {{"90s", "1m30s"}, {"1h", "1h0m0s"},
                                                       {"1.5s", "1.5s"}, {"500ms", "500ms"},
                                                       {"0", "0s"},      {"-2m", "-2m0s"}};
  for (const auto& [text, printed] : cases) {
    const auto duration = parse_duration(text);
    ASSERT_TRUE(duration.ok()) << text;
    EXPECT_EQ(format_duration(*duration), printed);
  }
  for (const char* text : {"", "5", "s", "5 s", "--5s", "5x", "5s-1s", "nans", "infs", "1e3s"})
    EXPECT_FALSE(parse_duration(text).ok()) << text;
}

TEST(Base_Clock, manual_clock_moves_only_when_told) {
  ManualClock clock(*parse_time("2026-01-01T00:00:00Z"));
  const auto before = clock.steady_now();
  clock.advance(std::chrono::seconds(90));
  EXPECT_EQ(format_time(clock.now()), "2026-01-01T00:01:30Z");
  EXPECT_EQ(clock.steady_now() - before, std::chrono::seconds(90));
}

}  // namespace
}  // namespace flotilla
