// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/eviction/application_failover.hpp"

#include <gtest/gtest.h>

#include "core/controllers/eviction/eviction_plan.hpp"

namespace flotilla::controllers {
namespace {

using std::chrono::seconds;

api::Json binding(std::string_view change = "{}") {
  api::Json object = *api::Json::parse(R"({"kind": "ResourceBinding", "spec": {"propagateDeps": true,
      "clusters": [{"name": "m1", "replicas": 2}, {"name": "m2", "replicas": 2}],
      "failover": {"application": {"decisionConditions": {"tolerationSeconds": 60}, "purgeMode": "Gracefully",
                                   "gracePeriodSeconds": 600}}},
      "status": {"aggregatedStatus": [{"clusterName": "m1", "health": "Unhealthy", "status": {"state": "bad", "n": 3}},
                                      {"clusterName": "m2", "health": "Healthy"}]}})");
  object.apply_merge_patch(*api::Json::parse(change));
  return object;
}

WallTime noon() {
  return *parse_time("2026-05-01T12:00:00Z");
}

TEST(Eviction_Application, tolerates_an_unhealthy_copy_for_a_while) {
  UnhealthySince since;
  auto first = judge_application(binding(), since, noon());
  EXPECT_TRUE(first.evict.empty());
  EXPECT_GE(*first.look_again_in, seconds(60));
  EXPECT_TRUE(judge_application(binding(), since, noon() + seconds(60)).evict.empty());
  EXPECT_EQ(judge_application(binding(), since, noon() + seconds(61)).evict, std::vector<std::string>{"m1"});
}

TEST(Eviction_Application, counts_anew_after_a_recovery) {
  UnhealthySince since;
  (void)judge_application(binding(), since, noon());
  const api::Json well =
      binding(R"({"status": {"aggregatedStatus": [{"clusterName": "m1", "health": "Unknown"}]}})");
  EXPECT_FALSE(judge_application(well, since, noon() + seconds(50)).look_again_in.has_value());
  EXPECT_TRUE(since.empty());
  EXPECT_TRUE(judge_application(binding(), since, noon() + seconds(100)).evict.empty());
}

TEST(Eviction_Application, leaves_alone_what_is_evicted_or_no_target) {
  UnhealthySince since;
  const api::Json evicting = binding(R"({"spec": {"gracefulEvictionTasks": [{"fromCluster": "m1"}]}})");
  EXPECT_FALSE(judge_application(evicting, since, noon()).look_again_in.has_value());
  const api::Json moved = binding(R"({"spec": {"clusters": [{"name": "m2"}]}})");
  EXPECT_FALSE(judge_application(moved, since, noon()).look_again_in.has_value());
}

TEST(Eviction_Application, needs_dependencies_propagated_and_a_status) {
  EXPECT_TRUE(wants_application_failover(binding()));
  EXPECT_FALSE(wants_application_failover(binding(R"({"spec": {"propagateDeps": false}})")));
  EXPECT_FALSE(wants_application_failover(binding(R"({"status": {"aggregatedStatus": []}})")));
  EXPECT_FALSE(wants_application_failover(binding(R"({"spec": {"failover": {"application": null}}})")));
}

TEST(Eviction_Application, tells_the_purge_modes_apart) {
  const api::FeatureGates gates;
  const auto graceful = application_task(binding(), "m1", gates);
  EXPECT_EQ((*graceful)["gracePeriodSeconds"].as_int(), 600);
  EXPECT_EQ((*graceful)["producer"].as_string(), "resource-binding-application-failover-controller");
  const auto never = application_task(
      binding(R"({"spec": {"failover": {"application": {"purgeMode": "Never"}}}})"), "m1", gates);
  EXPECT_TRUE((*never)["suppressDeletion"].as_bool());
  const auto direct = application_task(
      binding(R"({"spec": {"failover": {"application": {"purgeMode": "Directly"}}}})"), "m1", gates);
  EXPECT_FALSE(direct->contains("suppressDeletion"));
  EXPECT_FALSE(direct->contains("gracePeriodSeconds"));
  api::FeatureGates without = gates;
  without.graceful_eviction = false;
  EXPECT_FALSE(application_task(binding(), "m1", without).ok());
}

TEST(Eviction_Application, preserves_state_where_the_gate_says_so) {
  api::FeatureGates gates;
  const api::Json stateful = binding(R"({"spec": {"failover": {"application": {"statePreservation": {"rules":
      [{"aliasLabelName": "state", "jsonPath": "{.state}"}]}}}}})");
  EXPECT_FALSE(application_task(stateful, "m1", gates)->contains("preservedLabelState"));
  gates.stateful_failover_injection = true;
  const auto task = application_task(stateful, "m1", gates);
  EXPECT_EQ((*task)["preservedLabelState"]["state"].as_string(), "bad");
  EXPECT_EQ((*task)["clustersBeforeFailover"].dump(), R"(["m1","m2"])");
  EXPECT_FALSE(application_task(stateful, "m2", gates).ok());  // reported no status
}

TEST(Eviction_Taints, mode_is_the_bindings_or_the_operators) {
  const api::FeatureGates gates;
  EXPECT_EQ((*taint_task(binding(), "m1", "Directly", gates))["purgeMode"].as_string(), "Directly");
  const api::Json own = binding(R"({"spec": {"failover": {"cluster": {}}}})");
  EXPECT_EQ((*taint_task(own, "m1", "Directly", gates))["purgeMode"].as_string(), "Gracefully");
}

api::Json spec(std::string_view text) {
  return *api::Json::parse(text);
}

TEST(Eviction_Withdraw, brings_a_recovered_cluster_back_while_nothing_replaced_it) {
  const std::vector<std::string> recovered = {"m1"};
  const auto back = withdraw_evictions(
      spec(R"({"replicas": 2, "placement": {"replicaScheduling": {"replicaSchedulingType": "Divided"}},
               "gracefulEvictionTasks": [{"fromCluster": "m1", "replicas": 2, "producer": "TaintManager"}]})"),
      recovered);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ((*back)["clusters"].dump(), R"([{"name":"m1","replicas":2}])");
  EXPECT_TRUE((*back)["gracefulEvictionTasks"].empty());
}

TEST(Eviction_Withdraw, goes_on_where_the_replicas_are_elsewhere_by_now) {
  const std::vector<std::string> recovered = {"m1"};
  EXPECT_FALSE(
      withdraw_evictions(
          spec(R"({"replicas": 2, "placement": {"replicaScheduling": {"replicaSchedulingType": "Divided"}},
                            "clusters": [{"name": "m2", "replicas": 2}],
                            "gracefulEvictionTasks": [{"fromCluster": "m1", "replicas": 2, "producer": "TaintManager"}]})"),
          recovered)
          .has_value());
}

TEST(Eviction_Withdraw, leaves_other_clusters_purged_copies_and_peoples_decisions_alone) {
  const std::vector<std::string> recovered = {"m1"};
  for (const std::string_view task :
       {R"({"fromCluster": "m2", "producer": "TaintManager"})",

        R"({"fromCluster": "m1", "producer": "TaintManager", "purgeMode": "Directly"})",
        R"({"fromCluster": "m1", "producer": "TaintManager", "suppressDeletion": true})"}) {
    EXPECT_FALSE(
        withdraw_evictions(spec(R"({"gracefulEvictionTasks": [)" + std::string(task) + "]}"), recovered)
            .has_value())
        << task;
  }
}

}  // namespace
}  // namespace flotilla::controllers
