// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/api/conditions.hpp"
#include "core/controllers/eviction/application_failover_reconciler.hpp"
#include "core/controllers/eviction/graceful_eviction_reconciler.hpp"
#include "core/controllers/eviction/taint_eviction_reconciler.hpp"
#include "tests/fakes/control_plane.hpp"

namespace flotilla::controllers {
namespace {

using fakes::ControlPlane;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kTaint =
    R"([{"key":"down","effect":"NoExecute","timeAdded":"2026-05-01T12:00:00Z"}])";
constexpr std::string_view kTask =
    R"({"replicas":2,"replicaRequirements":{},"placement":{"replicaScheduling":{"replicaSchedulingType":"Divided"}},
    "gracefulEvictionTasks":[{"fromCluster":"m1","replicas":2,"purgeMode":"Gracefully","reason":"TaintUntolerated",
    "producer":"TaintManager","creationTimestamp":"2026-05-01T11:59:00Z"}]})";

Options quick() {
  Options options;
  options.resource_eviction_rate = 1e6;
  return options;
}

struct Evictions : testing::Test {
  void TearDown() override { plane.stop(); }
  Json clusters() const { return plane.binding()["spec"]["clusters"]; }
  Json tasks() const { return plane.binding()["spec"]["gracefulEvictionTasks"]; }
  const Json* condition(std::string_view type) {
    status_ = plane.binding()["status"]["conditions"];
    return api::find_condition(status_, type);
  }

  ControlPlane plane{quick()};
  Json status_;
};

struct Taints : Evictions {
  Outcome evict() { return plane.reconcile_binding(manager); }
  TaintEvictionReconciler manager{plane.context, kNamespacedScope};
};

TEST_F(Taints, an_untolerated_taint_moves_the_workload_away) {
  plane.start();
  plane.cluster("m1", kTaint);
  plane.cluster("m2");
  plane.binding(R"({"clusters":[{"name":"m1","replicas":2},{"name":"m2","replicas":1}]})");
  EXPECT_EQ(evict().kind(), Outcome::Kind::Again);
  EXPECT_EQ(clusters().dump(), R"([{"name":"m2","replicas":1}])");
  const Json task = tasks().element(0);
  EXPECT_EQ(task["fromCluster"].as_string(), "m1");
  EXPECT_EQ(task["purgeMode"].as_string(), "Gracefully");
  EXPECT_EQ(task["reason"].as_string(), "TaintUntolerated");
  EXPECT_EQ(task["producer"].as_string(), "TaintManager");
  EXPECT_EQ(task["replicas"].as_int(), 2);
  EXPECT_EQ(evict().kind(), Outcome::Kind::Done);
}

TEST_F(Taints, a_toleration_with_seconds_holds_for_so_long) {
  plane.start();
  plane.cluster("m1", kTaint);
  plane.binding(R"({"clusters":[{"name":"m1"}]})", "{}",
                R"({"clusterTolerations":[{"key":"down","operator":"Exists","tolerationSeconds":15}]})");
  EXPECT_EQ(evict().delay(), seconds(10));
  plane.clock.advance(seconds(10));
  EXPECT_EQ(evict().delay(), seconds(5));
  plane.clock.advance(seconds(5));
  (void)evict();
  EXPECT_TRUE(clusters().empty());
}

TEST_F(Taints, a_toleration_without_seconds_holds_for_ever) {
  plane.start();
  plane.cluster("m1", kTaint);
  plane.binding(R"({"clusters":[{"name":"m1"}]})", "{}",
                R"({"clusterTolerations":[{"key":"down","operator":"Exists"}]})");
  plane.clock.advance(minutes(60));
  EXPECT_EQ(evict().delay(), seconds(10));
  EXPECT_EQ(clusters().size(), 1u);
}

TEST_F(Taints, without_an_applied_placement_nobody_decides) {
  plane.start();
  plane.cluster("m1", kTaint);
  plane.binding(R"({"clusters":[{"name":"m1"}]})", "{}", "");
  EXPECT_EQ(evict().kind(), Outcome::Kind::Retry);
  EXPECT_EQ(clusters().size(), 1u);
}

struct Graceful : Evictions {
  Outcome assess() { return plane.reconcile_binding(controller); }
  GracefulEvictionReconciler controller{plane.context, plane.guard};
};

TEST_F(Graceful, ends_when_the_replacement_is_healthy) {
  plane.start();
  plane.cluster("m1", kTaint);
  plane.cluster("m2");
  plane.work("m1", "Healthy");
  plane.work("m2", "Healthy");
  plane.binding(kTask, "{}");
  plane.patch(kinds::kResourceBinding, ControlPlane::kBinding,
              R"({"spec":{"clusters":[{"name":"m2","replicas":2}]},
                  "status":{"aggregatedStatus":[{"clusterName":"m2","health":"Unhealthy"}]}})");
  const std::string generation = std::to_string(plane.binding()["metadata"]["generation"].as_int());
  plane.patch(kinds::kResourceBinding, ControlPlane::kBinding,
              R"({"status":{"schedulerObservedGeneration":)" + generation + "}}");
  (void)assess();
  EXPECT_EQ(tasks().size(), 1u);
  plane.patch(kinds::kResourceBinding, ControlPlane::kBinding,
              R"({"status":{"aggregatedStatus":[{"clusterName":"m2","health":"Healthy"}]}})");
  (void)assess();
  EXPECT_TRUE(tasks().empty());
  const auto cause = api::removal_cause_of_binding(plane.binding(), "m1");
  ASSERT_TRUE(cause.has_value());
  EXPECT_EQ(cause->reason, api::RemovalReason::Evicted);
  EXPECT_EQ(cause->by, "TaintManager");
}

// K#7455.
TEST_F(Graceful, time_is_over_but_nothing_fits_and_the_task_stays) {
  plane.start();
  plane.cluster("m1", kTaint);
  plane.work("m1", "Healthy");
  plane.binding(kTask);
  plane.clock.advance(minutes(30));
  const Outcome outcome = assess();
  EXPECT_EQ(outcome.kind(), Outcome::Kind::Again);
  EXPECT_EQ(tasks().size(), 1u);
  ASSERT_NE(condition("EvictionHeld"), nullptr);
  EXPECT_EQ((*condition("EvictionHeld"))["reason"].as_string(), "NoReplacement");
}

TEST_F(Graceful, a_person_may_let_it_go) {
  plane.start();
  plane.cluster("m1", kTaint);
  plane.work("m1", "Healthy");
  plane.binding(kTask);
  Json confirmed = tasks();
  confirmed.elements()[0].set("suppressDeletion", false);
  plane.patch(kinds::kResourceBinding, ControlPlane::kBinding,
              Json::object({{"spec", Json::object({{"gracefulEvictionTasks", confirmed}})}}).dump());
  (void)assess();
  EXPECT_TRUE(tasks().empty());
  EXPECT_EQ(api::removal_cause_of_binding(plane.binding(), "m1")->reason,
            api::RemovalReason::EvictionConfirmed);
}

// K#5803.
TEST_F(Graceful, an_eviction_is_withdrawn_when_its_cluster_has_recovered) {
  plane.start();
  plane.cluster("m1", kTaint);
  plane.work("m1", "Healthy");
  plane.binding(kTask);
  plane.clock.advance(minutes(30));
  (void)assess();
  plane.patch(kinds::kCluster, {"", "m1"}, R"({"spec":{"taints":null}})");
  (void)assess();
  EXPECT_TRUE(tasks().empty());
  EXPECT_EQ(clusters().dump(), R"([{"name":"m1","replicas":2}])");
  EXPECT_EQ(condition("EvictionHeld"), nullptr);
}

TEST_F(Graceful, an_application_that_got_well_and_that_nothing_replaces_stays) {
  plane.start();
  plane.cluster("m1");
  plane.work("m1", "Healthy");
  plane.binding(R"({"gracefulEvictionTasks":[{"fromCluster":"m1","purgeMode":"Gracefully",
      "reason":"ApplicationFailure","creationTimestamp":"2026-05-01T11:00:00Z"}]})",
                R"({"aggregatedStatus":[{"clusterName":"m1","health":"Healthy"}]})");
  (void)assess();
  EXPECT_TRUE(tasks().empty());
  EXPECT_EQ(clusters().dump(), R"([{"name":"m1"}])");
}

TEST_F(Graceful, new_tasks_are_stamped) {
  plane.start();
  plane.cluster("m1", kTaint);
  plane.binding(R"({"gracefulEvictionTasks":[{"fromCluster":"m1","producer":"x"}]})");
  const Outcome outcome = assess();
  EXPECT_EQ(tasks().element(0)["creationTimestamp"].as_string(), "2026-05-01T12:00:00Z");
  EXPECT_GE(outcome.delay(), minutes(10));
}

struct Applications : Evictions {
  Outcome look() { return plane.reconcile_binding(controller); }
  ApplicationFailoverReconciler controller{plane.context};
};

TEST_F(Applications, an_unhealthy_copy_is_evicted_after_its_toleration) {
  plane.start();
  plane.binding(
      R"({"propagateDeps":true,"clusters":[{"name":"m1"},{"name":"m2"}],
                    "failover":{"application":{"decisionConditions":{"tolerationSeconds":30},"purgeMode":"Directly"}}})",
      R"({"aggregatedStatus":[{"clusterName":"m1","health":"Unhealthy"},{"clusterName":"m2","health":"Healthy"}]})");
  EXPECT_EQ(look().kind(), Outcome::Kind::Again);
  EXPECT_EQ(clusters().size(), 2u);
  plane.clock.advance(seconds(31));
  (void)look();
  EXPECT_EQ(clusters().dump(), R"([{"name":"m2"}])");
  EXPECT_EQ(tasks().element(0)["reason"].as_string(), "ApplicationFailure");
  EXPECT_EQ(tasks().element(0)["purgeMode"].as_string(), "Directly");
}

}  // namespace
}  // namespace flotilla::controllers
