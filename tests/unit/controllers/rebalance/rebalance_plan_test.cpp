// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/rebalance/rebalance_plan.hpp"

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

Json rebalancer() {
  return json(R"({"metadata": {"name": "r", "generation": 2, "creationTimestamp": "2026-05-01T12:00:00Z"},
    "spec": {"workloads": [
      {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "b", "name": "new"},
      {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "a", "name": "kept"}]},
    "status": {"observedWorkloads": [
      {"workload": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "a", "name": "kept"}, "result": "Failed", "reason": "ReferencedBindingNotFound"},
      {"workload": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "z", "name": "done"}, "result": "Successful"},
      {"workload": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "z", "name": "dropped"}, "result": "Failed"}]}})");
}

TEST(Rebalance_Workloads, keeps_results_and_past_successes_in_order) {
  EXPECT_EQ(observed_workloads(rebalancer()), json(R"([
    {"workload": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "a", "name": "kept"}, "result": "Failed", "reason": "ReferencedBindingNotFound"},
    {"workload": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "b", "name": "new"}},
    {"workload": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "z", "name": "done"}, "result": "Successful"}])"));
}

TEST(Rebalance_Trigger, takes_the_creation_time_unless_it_is_older) {
  Json fresh = json(R"({"spec": {}})");
  EXPECT_TRUE(trigger_reschedule(fresh, rebalancer()));
  EXPECT_EQ(std::as_const(fresh)["spec"]["rescheduleTriggeredAt"].as_string(), "2026-05-01T12:00:00Z");
  EXPECT_FALSE(trigger_reschedule(fresh, rebalancer()));
  Json later = json(R"({"spec": {"rescheduleTriggeredAt": "2026-05-01T12:00:01Z"}})");
  EXPECT_FALSE(trigger_reschedule(later, rebalancer()));
}

TEST(Rebalance_Status, is_finished_when_nothing_is_left_to_try) {
  const WallTime now = at("2026-05-01T12:00:05Z");
  Json object = rebalancer();
  Json done = rebalancer_status(object, observed_workloads(object), false, now);
  EXPECT_EQ(std::as_const(done)["finishTime"].as_string(), "2026-05-01T12:00:05Z");
  EXPECT_EQ(std::as_const(done)["observedGeneration"].as_int(), 2);
  EXPECT_FALSE(rebalancer_status(object, observed_workloads(object), true, now).contains("finishTime"));
  object.set("status", done);
  const Json same =
      rebalancer_status(object, std::as_const(done)["observedWorkloads"], false, now + std::chrono::hours(1));
  EXPECT_EQ(same["finishTime"].as_string(), "2026-05-01T12:00:05Z");
}

TEST(Rebalance_Expiry, counts_from_the_finish) {
  Json object = rebalancer();
  EXPECT_FALSE(time_left(object, at("2026-05-01T12:01:00Z")));
  object["spec"].set("ttlSecondsAfterFinished", 60);
  EXPECT_FALSE(time_left(object, at("2026-05-01T12:01:00Z")));
  object["status"].set("finishTime", "2026-05-01T12:00:30Z");
  EXPECT_EQ(time_left(object, at("2026-05-01T12:01:00Z")), std::chrono::seconds(30));
  EXPECT_EQ(time_left(object, at("2026-05-01T12:02:00Z")), std::chrono::seconds(-30));
}

}  // namespace
}  // namespace flotilla::controllers
