// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/federated_autoscale/scaling_limits.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;
using std::chrono::minutes;
using std::chrono::seconds;

Json json(std::string_view text) {
  return *Json::parse(text);
}

const WallTime kNow = *parse_time("2026-05-01T12:00:00Z");

Limited limit(const Json& behavior, AutoscaleMemory& memory, std::int64_t current, std::int64_t wanted,
              WallTime now = kNow) {
  return limit_replicas(memory, {behavior, current, wanted, 1, 100, minutes(5), now});
}

TEST(Scaling_Policies, the_greatest_change_unless_the_least_is_selected) {
  const char* const kPolicies =
      R"("policies": [{"type": "Pods", "value": 4, "periodSeconds": 60}, {"type": "Percent", "value": 10, "periodSeconds": 60}])";
  struct Case {
    std::string select;
    std::int64_t current, wanted, answer;
    std::string_view reason;
  };
  const Case cases[] = {
      {"Max", 10, 30, 14, "ScaleUpLimit"},       {"Min", 10, 30, 11, "ScaleUpLimit"},
      {"Disabled", 10, 30, 10, "ScaleUpLimit"},  {"Max", 80, 90, 88, "ScaleUpLimit"},
      {"Max", 10, 12, 12, "DesiredWithinRange"}, {"Max", 10, 1, 6, "ScaleDownLimit"},
      {"Min", 10, 1, 9, "ScaleDownLimit"},       {"Disabled", 10, 1, 10, "ScaleDownLimit"},
      {"Max", 3, 0, 1, "TooFewReplicas"},
  };
  for (const Case& one : cases) {
    const std::string rules =
        "{\"stabilizationWindowSeconds\": 0, \"selectPolicy\": \"" + one.select + "\", " + kPolicies + "}";
    const Json behavior = json("{\"scaleUp\": " + rules + ", \"scaleDown\": " + rules + "}");
    AutoscaleMemory memory;
    const Limited limited = limit(behavior, memory, one.current, one.wanted);
    EXPECT_EQ(limited.replicas, one.answer) << one.select << " " << one.current << " " << one.wanted;
    EXPECT_EQ(limited.limit.reason, one.reason) << one.select << " " << one.current << " " << one.wanted;
  }
}

TEST(Scaling_Policies, count_what_was_changed_within_their_period) {
  const Json behavior = json(
      R"({"scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [{"type": "Pods", "value": 4, "periodSeconds": 60}]},
    "scaleDown": {"stabilizationWindowSeconds": 0, "policies": []}})");
  AutoscaleMemory memory;
  EXPECT_EQ(limit(behavior, memory, 10, 30).replicas, 14);
  note_step(memory, behavior, 10, 14, kNow);
  EXPECT_EQ(limit(behavior, memory, 14, 30, kNow + seconds(30)).replicas, 14);
  EXPECT_EQ(limit(behavior, memory, 14, 30, kNow + seconds(61)).replicas, 18);
}

TEST(Scaling_Windows, the_lowest_recommendation_upwards_the_highest_downwards) {
  const Json behavior = json(
      R"({"scaleUp": {"stabilizationWindowSeconds": 120, "policies": [{"type": "Percent", "value": 900, "periodSeconds": 15}]},
    "scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}})");
  AutoscaleMemory memory;
  memory.recommendations = {{8, kNow - seconds(100)}, {6, kNow - seconds(30)}};
  const Limited up = limit(behavior, memory, 5, 10);
  EXPECT_EQ(up.replicas, 6);
  EXPECT_EQ(up.able.reason, "ScaleUpStabilized");
  memory.recommendations = {{8, kNow - seconds(100)}, {6, kNow - seconds(30)}};
  const Limited down = limit(behavior, memory, 9, 2);
  EXPECT_EQ(down.replicas, 6);
  EXPECT_EQ(down.able.reason, "ScaleDownStabilized");
}

TEST(Scaling_Windows, without_one_downwards_the_flag_counts) {
  const Json behavior = json(
      R"({"scaleUp": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]},
    "scaleDown": {"policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}})");
  AutoscaleMemory memory;
  memory.recommendations = {{7, kNow - minutes(4)}};
  EXPECT_EQ(limit(behavior, memory, 9, 2).replicas, 7);
  memory.recommendations = {{7, kNow - minutes(6)}};
  EXPECT_EQ(limit(behavior, memory, 9, 2).replicas, 2);
}

}  // namespace
}  // namespace flotilla::controllers
