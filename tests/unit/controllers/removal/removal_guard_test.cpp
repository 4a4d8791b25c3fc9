// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/removal_guard.hpp"

#include <gtest/gtest.h>

#include "core/api/conditions.hpp"
#include "core/controllers/binding/binding_reconciler.hpp"
#include "core/controllers/cluster_health/cluster_reconciler.hpp"
#include "tests/fakes/control_plane.hpp"

namespace flotilla::controllers {
namespace {

using fakes::ControlPlane;
using std::chrono::minutes;
using std::chrono::seconds;

Options with_budget(std::int64_t removals) {
  Options options;
  options.removal_budget = removals;
  return options;
}

class Removal_Guard : public testing::Test {
 protected:
  explicit Removal_Guard(Options options = {}) : plane(std::move(options)) {}
  void SetUp() override {
    plane.start();
    plane.cluster("m1");
    plane.cluster("m2");
  }
  void TearDown() override { plane.stop(); }
  Outcome sync() { return plane.reconcile_binding(bindings); }
  bool is_going(const std::string& cluster) {
    const Json work = plane.work_in(cluster);
    return work.is_null() || work["metadata"]["deletionTimestamp"].is_string();
  }
  std::string held() {
    const Json conditions = plane.binding()["status"]["conditions"];
    const Json* held = api::find_condition(conditions, "RemovalHeld");
    return held == nullptr ? std::string() : std::string((*held)["reason"].as_string());
  }
  void report(const std::string& cluster, const std::string& health) {
    plane.patch(kinds::kWork, {"karmada-es-" + cluster, "web"},
                R"({"status":{"manifestStatuses":[{"health":")" + health + R"("}]}})");
  }

  ControlPlane plane;
  OverrideIndex overrides{plane.informers, plane.rules};
  ClusterReconciler clusters{plane.context, plane.guard};
  BindingReconciler bindings{plane.context, plane.works, overrides, plane.guard};
};

TEST_F(Removal_Guard, a_moved_workload_leaves_when_its_new_copy_is_healthy) {
  plane.work("m1", "Healthy");
  plane.work("m2", "Unhealthy");
  plane.binding(R"({"clusters":[{"name":"m2"}]})");
  EXPECT_EQ(sync().kind(), Outcome::Kind::Again);
  EXPECT_FALSE(is_going("m1"));
  EXPECT_EQ(held(), "LastHealthyCopy");
  const auto noted = api::removal_cause_of_work(plane.work_in("m1"));
  ASSERT_TRUE(noted.has_value());
  EXPECT_TRUE(noted->held.starts_with("LastHealthyCopy")) << noted->held;
  report("m2", "Healthy");
  EXPECT_EQ(sync().kind(), Outcome::Kind::Done);
  EXPECT_TRUE(is_going("m1"));
  EXPECT_EQ(held(), "");
  const auto cause = api::removal_cause_of_work(plane.work_in("m1"));
  ASSERT_TRUE(cause.has_value());
  EXPECT_EQ(cause->reason, api::RemovalReason::Rescheduled);
  EXPECT_EQ(cause->held, "");
}

TEST_F(Removal_Guard, nothing_fits_and_the_copy_stays) {
  plane.work("m1", "Unhealthy");
  plane.binding("{}");
  (void)sync();
  EXPECT_FALSE(is_going("m1"));
  EXPECT_EQ(held(), "NoReplacement");
  plane.patch(kinds::kResourceBinding, ControlPlane::kBinding,
              R"({"metadata":{"annotations":{"flotilla.io/approve-removal":"m1"}}})");
  (void)sync();
  EXPECT_TRUE(is_going("m1"));
  EXPECT_EQ(api::removal_cause_of_work(plane.work_in("m1"))->reason, api::RemovalReason::Approved);
}

TEST_F(Removal_Guard, a_cluster_that_is_not_ready_replaces_nothing) {
  plane.patch(kinds::kCluster, {"", "m2"},
              R"({"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}})");
  plane.work("m1", "Healthy");
  plane.work("m2", "Healthy");
  plane.binding(R"({"clusters":[{"name":"m2"}]})");
  (void)sync();
  EXPECT_EQ(held(), "LastHealthyCopy");
}

TEST_F(Removal_Guard, what_a_cluster_said_to_an_earlier_daemon_replaces_nothing) {
  plane.patch(kinds::kCluster, {"", "m2"}, R"({"spec":{"syncMode":"Push"}})");
  plane.work("m1", "Healthy");
  plane.work("m2", "Healthy");
  plane.binding(R"({"clusters":[{"name":"m2"}]})");
  (void)sync();
  EXPECT_EQ(held(), "LastHealthyCopy");
}

TEST_F(Removal_Guard, a_deleted_binding_takes_everything_along_at_once) {
  plane.work("m1", "Healthy");
  plane.binding(R"({"clusters":[{"name":"m1"}]})");
  plane.patch(kinds::kResourceBinding, ControlPlane::kBinding,
              R"({"metadata":{"finalizers":["karmada.io/binding-controller"]}})");
  auto removing = plane.writer.remove(kinds::kResourceBinding, ControlPlane::kBinding);
  EXPECT_TRUE(fakes::run_on(plane.executor, std::move(removing)).ok());
  EXPECT_EQ(sync().kind(), Outcome::Kind::Done);
  EXPECT_TRUE(is_going("m1"));
  EXPECT_EQ(api::removal_cause_of_work(plane.work_in("m1"))->reason, api::RemovalReason::TemplateDeleted);
  EXPECT_TRUE(plane.binding().is_null());
}

TEST_F(Removal_Guard, an_unjoined_cluster_loses_its_works_and_they_know_why) {
  plane.work("m1", "Healthy");
  plane.put(
      kinds::kNamespace,
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"karmada-es-m1"},"spec":{"finalizers":["kubernetes"]}})");
  plane.patch(kinds::kCluster, {"", "m1"},
              R"({"metadata":{"finalizers":["karmada.io/cluster-controller"]}})");
  auto removing = plane.writer.remove(kinds::kCluster, {"", "m1"});
  EXPECT_TRUE(fakes::run_on(plane.executor, std::move(removing)).ok());
  EXPECT_EQ(plane.reconcile(clusters, kinds::kCluster, {"", "m1"}).kind(), Outcome::Kind::Again);
  EXPECT_TRUE(is_going("m1"));
  EXPECT_EQ(api::removal_cause_of_work(plane.work_in("m1"))->reason, api::RemovalReason::ClusterRemoved);
  EXPECT_TRUE(
      plane.get(kinds::kNamespace, {"", "karmada-es-m1"})["metadata"]["deletionTimestamp"].is_string());
}

TEST_F(Removal_Guard, a_dead_pull_cluster_is_forgotten) {
  plane.patch(kinds::kCluster, {"", "m1"},
              R"({"metadata":{"finalizers":["karmada.io/cluster-controller"]},"spec":{"syncMode":"Pull"},
                  "status":{"conditions":[{"type":"Ready","status":"Unknown"}]}})");
  plane.work("m1", "Healthy");
  auto removing = plane.writer.remove(kinds::kCluster, {"", "m1"});
  EXPECT_TRUE(fakes::run_on(plane.executor, std::move(removing)).ok());
  EXPECT_EQ(plane.reconcile(clusters, kinds::kCluster, {"", "m1"}).kind(), Outcome::Kind::Done);
  EXPECT_TRUE(plane.work_in("m1")["metadata"]["finalizers"].empty());
  EXPECT_TRUE(plane.get(kinds::kCluster, {"", "m1"}).is_null());
}

struct Undo : Removal_Guard {
  Undo() : Removal_Guard(window()) {}
  static Options window() {
    Options options;
    options.removal_undo_window = seconds(60);
    return options;
  }
};

TEST_F(Undo, a_decision_that_is_reverted_in_time_removes_nothing) {
  plane.work("m1", "Healthy");
  plane.work("m2", "Healthy");
  plane.binding(R"({"clusters":[{"name":"m2"}]})");
  EXPECT_EQ(sync().delay(), seconds(60));
  EXPECT_EQ(held(), "UndoWindow");
  plane.clock.advance(seconds(30));
  EXPECT_EQ(sync().delay(), seconds(30));
  plane.patch(kinds::kResourceBinding, ControlPlane::kBinding,
              R"({"spec":{"clusters":[{"name":"m1"},{"name":"m2"}]}})");
  EXPECT_EQ(sync().kind(), Outcome::Kind::Done);
  EXPECT_FALSE(is_going("m1"));
  EXPECT_EQ(held(), "");
}

TEST_F(Undo, afterwards_it_is_done) {
  plane.work("m1", "Healthy");
  plane.work("m2", "Healthy");
  plane.binding(R"({"clusters":[{"name":"m2"}]})");
  (void)sync();
  plane.clock.advance(seconds(60));
  (void)sync();
  EXPECT_TRUE(is_going("m1"));
}

struct Breaker : Removal_Guard {
  Breaker() : Removal_Guard(with_budget(1)) {}
};

TEST_F(Breaker, trips_holds_and_is_reset_by_a_person) {
  plane.cluster("m3");
  for (const char* cluster : {"m1", "m2", "m3"}) plane.work(cluster, "Healthy");
  plane.binding(R"({"clusters":[{"name":"m3"}]})");
  (void)sync();
  EXPECT_TRUE(is_going("m1"));
  EXPECT_FALSE(is_going("m2"));
  EXPECT_EQ(held(), "BudgetSpent");
  plane.put(
      kinds::kPropagationPolicy,
      R"({"apiVersion":"policy.karmada.io/v1alpha1","kind":"PropagationPolicy","metadata":{"name":"web","namespace":"default",
                "annotations":{"flotilla.io/reset-removal-breaker":"now"}},"spec":{}})");
  (void)sync();
  EXPECT_TRUE(is_going("m2"));
  EXPECT_EQ(held(), "");
}

TEST_F(Breaker, closes_after_its_window) {
  plane.cluster("m3");
  for (const char* cluster : {"m1", "m2", "m3"}) plane.work(cluster, "Healthy");
  plane.binding(R"({"clusters":[{"name":"m3"}]})");
  (void)sync();
  plane.clock.advance(minutes(10));
  (void)sync();
  EXPECT_TRUE(is_going("m2"));
}

}  // namespace
}  // namespace flotilla::controllers
