// SPDX-License-Identifier: Apache-2.0
#include "core/api/admission/cron_schedule.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

TEST(Api_CronSchedule, knows_fields_lists_ranges_steps_and_names) {
  for (std::string_view text : {"0 8 * * *", "*/5 0-6,22 1,15 JAN-mar MON-FRI", "0 0 L * *", "0 0 ? * 5#2",
                                "* * * * * *", "0 0 1 1 * 2030", "@daily", "0 0 31 2 *", "0 0 15W * *"}) {
    EXPECT_TRUE(is_cron_schedule(text)) << text;
  }
}

TEST(Api_CronSchedule, refuses_all_else) {
  for (std::string_view text : {"", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "5-1 * * * *",
                                "*/0 * * * *", "a * * * *", "* * * *", "@sometimes", "1,,2 * * * *"}) {
    EXPECT_FALSE(is_cron_schedule(text)) << text;
  }
}

}  // namespace
}  // namespace flotilla::api
