// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/eviction/eviction_plan.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using std::chrono::seconds;

api::Json json(std::string_view text) {
  return *api::Json::parse(text);
}

WallTime noon() {
  return *parse_time("2026-05-01T12:00:00Z");
}

EvictionAssessment assess(std::string_view tasks, bool scheduled, std::string_view status) {
  api::Json task_list = json(tasks);
  api::Json clusters = json(R"([{"name": "m2"}])");
  api::Json statuses = json(status);
  auto result = assess_evictions(
      {task_list.elements(), clusters.elements(), statuses.elements(), scheduled, seconds(600)}, noon());
  EXPECT_TRUE(result.ok());
  return *result;
}

constexpr std::string_view kHealthy = R"([{"clusterName": "m2", "health": "Healthy"}])";
constexpr std::string_view kFresh = R"([{"fromCluster": "m1", "creationTimestamp": "2026-05-01T11:59:00Z"}])";

TEST(Eviction_Assess, keeps_the_old_copy_until_its_replacement_is_healthy) {
  EXPECT_TRUE(assess(kFresh, true, "[]").evicted.empty());
  EXPECT_TRUE(assess(kFresh, false, kHealthy).evicted.empty());
  EXPECT_EQ(assess(kFresh, true, kHealthy).evicted, std::vector<std::string>{"m1"});
}

TEST(Eviction_Assess, ends_a_task_whose_time_is_over) {
  auto over = assess(R"([{"fromCluster": "m1", "creationTimestamp": "2026-05-01T11:00:00Z"}])", false, "[]");
  EXPECT_EQ(over.evicted.size(), 1u);
  EXPECT_EQ(assess(kFresh, true, "[]").look_again_in, seconds(540));
}

TEST(Eviction_Assess, leaves_suppressed_tasks_to_people) {
  auto held = assess(
      R"([{"fromCluster": "m1", "creationTimestamp": "2026-05-01T11:00:00Z", "suppressDeletion": true}])",
      true, kHealthy);
  auto released = assess(
      R"([{"fromCluster": "m1", "creationTimestamp": "2026-05-01T11:59:00Z", "suppressDeletion": false}])",
      false, "[]");
  EXPECT_TRUE(held.evicted.empty());
  EXPECT_FALSE(held.look_again_in.has_value());
  EXPECT_EQ(released.evicted.size(), 1u);
}

TEST(Eviction_Assess, stamps_new_tasks_and_keeps_them) {
  auto stamped = assess(R"([{"fromCluster": "m1"}])", true, kHealthy);
  EXPECT_EQ(stamped.kept.element(0)["creationTimestamp"].as_string(), "2026-05-01T12:00:00Z");
}

TEST(Eviction_Evict, moves_a_target_to_the_tasks_once) {
  api::Json spec = json(R"({"clusters": [{"name": "m1", "replicas": 3}, {"name": "m2", "replicas": 0}]})");
  api::Json options =
      json(R"({"purgeMode": "Gracefully", "reason": "TaintUntolerated", "producer": "TaintManager"})");
  api::Json moved = evict(spec, "m1", options);
  EXPECT_EQ(moved, json(R"({"clusters": [{"name": "m2"}], "gracefulEvictionTasks": [{"fromCluster": "m1",
    "replicas": 3, "purgeMode": "Gracefully", "reason": "TaintUntolerated", "producer": "TaintManager"}]})"));
  EXPECT_EQ(evict(moved, "m1", options), moved);
  EXPECT_EQ(evict(moved, "m9", options), moved);
}

TEST(Eviction_Taints, are_tolerated_for_the_shortest_time_of_all) {
  api::Json taints = json(R"([
    {"key": "a", "effect": "NoExecute", "timeAdded": "2026-05-01T11:59:00Z"},
    {"key": "b", "effect": "NoExecute", "timeAdded": "2026-05-01T11:59:50Z"}, {"key": "c", "effect": "NoSchedule"}])");
  api::Json patient = json(
      R"([{"key": "a", "operator": "Exists", "tolerationSeconds": 300}, {"operator": "Exists", "tolerationSeconds": 60}])");
  auto verdict = judge_taints(taints.elements(), patient.elements(), noon());
  EXPECT_TRUE(verdict->all_tolerated);
  EXPECT_EQ(verdict->taints, 2u);
  EXPECT_EQ(verdict->remaining, seconds(50));
  EXPECT_FALSE(judge_taints(taints.elements(), {}, noon())->all_tolerated);
}

TEST(Eviction_PreservedState, carries_values_of_the_failing_members_status) {
  api::Json rules = json(R"({"rules": [{"aliasLabelName": "job", "jsonPath": "{.job.id}"}]})");
  EXPECT_EQ(*preserved_label_state(rules, json(R"({"job": {"id": 7}})")), json(R"({"job": "7"})"));
  EXPECT_FALSE(preserved_label_state(rules, json("{}")).ok());
}

}  // namespace
}  // namespace flotilla::controllers
