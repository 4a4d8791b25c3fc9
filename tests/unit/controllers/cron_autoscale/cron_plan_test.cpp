// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cron_autoscale/cron_plan.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;

Json json(std::string_view text) {
  return *Json::parse(text);
}
WallTime at(std::string_view text) {
  return *parse_time(text);
}

TEST(Cron_Next, in_the_zone_of_the_rule) {
  const auto next = next_execution(json(R"({"schedule": "0 9 * * *", "timeZone": "Asia/Tokyo"})"),
                                   at("2026-05-01T00:00:00Z"));
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(format_time(*next), "2026-05-02T00:00:00Z");
  EXPECT_FALSE(next_execution(json(R"({"schedule": "61 * * * *"})"), at("2026-05-01T00:00:00Z")).ok());
  EXPECT_FALSE(
      next_execution(json(R"({"schedule": "0 0 30 2 *", "timeZone": "UTC"})"), at("2026-05-01T00:00:00Z"))
          .ok());
}

TEST(Cron_History, keeps_a_date_per_rule_and_forgets_old_rules) {
  Json status = Json::object();
  set_next_execution(status, "up", at("2026-05-01T08:00:00Z"));
  set_next_execution(status, "down", std::nullopt);
  EXPECT_EQ(
      status,
      json(
          R"({"executionHistories": [{"ruleName": "up", "nextExecutionTime": "2026-05-01T08:00:00Z"}, {"ruleName": "down"}]})"));
  EXPECT_FALSE(drop_old_histories(status, json(R"({"rules": [{"name": "up"}, {"name": "down"}]})")));
  EXPECT_TRUE(drop_old_histories(status, json(R"({"rules": [{"name": "up"}]})")));
  EXPECT_EQ(std::as_const(status)["executionHistories"].size(), 1u);
}

TEST(Cron_History, newest_first_within_the_limits) {
  const Json rule = json(R"({"name": "up", "targetReplicas": 5, "successfulHistoryLimit": 2})");
  Json status = Json::object();
  EXPECT_FALSE(record_execution(status, rule, {at("2026-05-01T08:00:00Z"), std::nullopt, ""}));
  set_next_execution(status, "up", at("2026-05-01T08:00:00Z"));
  for (int hour = 8; hour < 11; ++hour) {
    const WallTime now = at("2026-05-01T00:00:01Z") + std::chrono::hours(hour);
    EXPECT_TRUE(
        record_execution(status, rule, {now, at("2026-05-01T01:00:00Z") + std::chrono::hours(hour), ""}));
  }
  EXPECT_TRUE(record_execution(status, rule,
                               {at("2026-05-01T11:00:01Z"), at("2026-05-01T12:00:00Z"), "no such thing"}));
  EXPECT_EQ(status,
            json(R"({"executionHistories": [{"ruleName": "up", "nextExecutionTime": "2026-05-01T12:00:00Z",
    "successfulExecutions": [
      {"scheduleTime": "2026-05-01T10:00:00Z", "executionTime": "2026-05-01T10:00:01Z", "appliedReplicas": 5},
      {"scheduleTime": "2026-05-01T09:00:00Z", "executionTime": "2026-05-01T09:00:01Z", "appliedReplicas": 5}],
    "failedExecutions": [{"scheduleTime": "2026-05-01T11:00:00Z", "executionTime": "2026-05-01T11:00:01Z", "message": "no such thing"}]}]})"));
}

TEST(Cron_Bounds, are_set_where_they_differ) {
  Json autoscaler = json(R"({"spec": {"minReplicas": 1, "maxReplicas": 10}})");
  EXPECT_TRUE(set_bounds(autoscaler, json(R"({"targetMinReplicas": 3, "targetMaxReplicas": 10})")));
  EXPECT_EQ(autoscaler, json(R"({"spec": {"minReplicas": 3, "maxReplicas": 10}})"));
  EXPECT_FALSE(set_bounds(autoscaler, json(R"({"targetMinReplicas": 3})")));
}

}  // namespace
}  // namespace flotilla::controllers
