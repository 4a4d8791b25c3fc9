// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/deschedule/deschedule_plan.hpp"

#include <gtest/gtest.h>

#include "core/controllers/trimmed.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

Json json(std::string_view text) {
  return *Json::parse(text);
}

Json binding(std::string_view scheduling, std::string_view kind = "Deployment") {
  Json made = json(R"({"metadata":{"annotations":{}},"spec":{"resource":{"apiVersion":"apps/v1"}}})");
  made.make({"spec", "resource", "kind"}) = kind;
  made.make({"metadata", "annotations", "policy.karmada.io/applied-placement"}) =
      R"({"replicaScheduling":)" + std::string(scheduling) + "}";
  return made;
}

TEST(Deschedule_Plan, means_deployments_divided_by_room) {
  constexpr const char* kAggregated =
      R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"})";
  EXPECT_TRUE(is_deschedulable(binding(kAggregated)));
  EXPECT_TRUE(is_deschedulable(binding(
      R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{"dynamicWeight":"AvailableReplicas"}})")));
  EXPECT_FALSE(is_deschedulable(binding(
      R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{"staticWeightList":[]}})")));
  EXPECT_FALSE(is_deschedulable(binding(R"({"replicaSchedulingType":"Duplicated"})")));
  EXPECT_FALSE(is_deschedulable(binding(kAggregated, "StatefulSet")));
  Json unapplied = binding(kAggregated);
  unapplied["metadata"].erase("annotations");
  EXPECT_FALSE(is_deschedulable(unapplied));
}

TEST(Deschedule_Plan, asks_where_fewer_are_ready_than_assigned) {
  const Json asked = json(
      R"({"spec":{"clusters":[{"name":"m1","replicas":2},{"name":"m2","replicas":3},{"name":"m3","replicas":1}]},
          "status":{"aggregatedStatus":[{"clusterName":"m1","status":{"readyReplicas":2}},{"clusterName":"m2","status":{"readyReplicas":1}}]}})");
  const auto undesired = undesired_clusters(asked);
  ASSERT_EQ(undesired.size(), 2u);
  EXPECT_EQ(undesired[0].name, "m2");
  EXPECT_EQ(undesired[0].ready, 1);
  EXPECT_EQ(undesired[1].name, "m3");
  EXPECT_EQ(undesired[1].ready, -1);
}

struct Case {
  const char* name;
  std::int64_t assigned, ready, unschedulable;
  std::int64_t left;  // -1: nothing is taken
};

TEST(Deschedule_Plan, takes_what_cannot_run_and_no_more) {
  constexpr Case kCases[] = {
      {"some", 5, 2, 3, 2},
      {"fewer than are not ready", 5, 2, 1, 4},
      {"never below ready", 5, 4, 3, 4},
      {"more than assigned: not believed", 5, 2, 6, -1},
      {"none", 5, 2, 0, -1},
      {"all", 5, 0, 5, 0},
      {"all, and nothing is known of ready", 5, -1, 5, 0},
      {"more ready than assigned", 5, 7, 3, 2},
  };
  for (const Case& each : kCases) {
    const Json asked = json(R"({"spec":{"clusters":[{"name":"m1","replicas":)" +
                            std::to_string(each.assigned) + R"(},{"name":"m2","replicas":1}]}})");
    const std::vector<UndesiredCluster> undesired = {{"m1", each.assigned, each.ready, each.unschedulable}};
    const auto plan = plan_descheduling(asked, undesired);
    ASSERT_EQ(plan.has_value(), each.left >= 0) << each.name;
    if (!plan) continue;
    EXPECT_EQ(plan->clusters.elements()[0]["replicas"].as_int(), each.left) << each.name;
    EXPECT_EQ(plan->clusters.elements()[1]["replicas"].as_int(), 1) << each.name;
  }
}

TEST(Deschedule_Plan, says_what_it_took) {
  const Json asked = json(R"({"spec":{"clusters":[{"name":"m1","replicas":5},{"name":"m2","replicas":3}]}})");
  const std::vector<UndesiredCluster> undesired = {{"m1", 5, 1, 2}, {"m2", 3, 0, 1}};
  EXPECT_EQ(plan_descheduling(asked, undesired)->message,
            "Binding has been descheduled, 2 replica(s) in cluster(m1), 1 replica(s) in cluster(m2), 3 total "
            "descheduled replica(s)");
}

TEST(Deschedule_Plan, counts_pods_that_no_node_took_for_long_by_their_replica_set) {
  const auto pod = [](std::string_view ns, std::string_view set, std::string_view since,
                      std::string_view status) {
    const std::string set_text(set), since_text(since), status_text(status), ns_text(ns);
    const Json made = json(
        R"({"metadata":{"name":"p","namespace":")" + ns_text +
        R"(","ownerReferences":[{"kind":"ReplicaSet","uid":"u","controller":true,"name":")" + set_text +
        R"("}]},"spec":{"containers":[{"name":"c","image":"i"}]},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","reason":"Unschedulable","status":")" +
        status_text + R"(","lastTransitionTime":")" + since_text + R"("}]}})");
    return trim_pod(made);
  };
  const std::vector<Json> pods = {pod("default", "web-1", "2026-01-01T00:00:00Z", "False"),
                                  pod("default", "web-1", "2026-01-01T00:01:00Z", "False"),
                                  pod("default", "web-1", "2026-01-01T00:09:00Z", "False"),
                                  pod("default", "web-1", "2026-01-01T00:00:00Z", "True"),
                                  pod("default", "api-1", "2026-01-01T00:00:00Z", "False"),
                                  pod("other", "web-1", "2026-01-01T00:00:00Z", "False")};
  const auto found =
      unschedulable_pods(pods, "default", std::chrono::minutes(5), *parse_time("2026-01-01T00:10:00Z"));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].replica_set, "web-1");
  EXPECT_EQ(found[0].count, 2);
  EXPECT_EQ(found[1].count, 1);
}

TEST(Deschedule_Plan, knows_the_current_replica_set_by_its_revision) {
  const Json deployment =
      json(R"({"metadata":{"name":"web","annotations":{"deployment.kubernetes.io/revision":"2"}}})");
  Json set = json(
      R"({"metadata":{"annotations":{"deployment.kubernetes.io/revision":"2"},"ownerReferences":[{"kind":"Deployment","name":"web","controller":true}]}})");
  EXPECT_TRUE(is_current(set, deployment));
  set.make({"metadata", "annotations", "deployment.kubernetes.io/revision"}) = "1";
  EXPECT_FALSE(is_current(set, deployment));
  set["metadata"].erase("ownerReferences");
  EXPECT_FALSE(is_current(set, deployment));
}

}  // namespace
}  // namespace flotilla::controllers
