// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/trigger.hpp"

#include <gtest/gtest.h>

#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

TEST(Scheduler_Trigger, runs_when_the_placement_was_never_applied_or_differs) {
  Json placement = parsed(R"({"clusterAffinity":{"clusterNames":["m1"]}})");
  EXPECT_TRUE(placement_changed(placement, "", ""));
  EXPECT_FALSE(placement_changed(placement, placement.dump(), ""));
  EXPECT_FALSE(placement_changed(placement, "{not json", ""));
  EXPECT_TRUE(placement_changed(placement, R"({"clusterAffinity":{"clusterNames":["m2"]}})", ""));
  EXPECT_FALSE(placement_changed(
      placement, R"({"clusterAffinity":{"clusterNames":["m1"]},"clusterTolerations":[]})", ""));
}

TEST(Scheduler_Trigger, ignores_other_terms_than_the_one_in_use) {
  Json now =
      parsed(R"({"clusterAffinities":[{"affinityName":"a"},{"affinityName":"b","clusterNames":["m1"]}]})");
  std::string before = R"({"clusterAffinities":[{"affinityName":"a"},{"affinityName":"b"}]})";
  EXPECT_FALSE(placement_changed(now, before, "a"));
  EXPECT_TRUE(placement_changed(now, before, "b"));
  EXPECT_TRUE(placement_changed(now, before, "c"));
  EXPECT_TRUE(placement_changed(now, before, ""));
}

TEST(Scheduler_Trigger, runs_when_replicas_do_not_add_up) {
  Json spec = parsed(R"({"replicas":3,"clusters":[{"name":"a","replicas":1},{"name":"b","replicas":2}],
      "placement":{"replicaScheduling":{"replicaSchedulingType":"Divided"}}})");
  EXPECT_FALSE(replicas_changed(spec));
  spec["replicas"] = 4;
  EXPECT_TRUE(replicas_changed(spec));
  spec.make({"placement", "replicaScheduling", "replicaSchedulingType"}) = "Duplicated";
  EXPECT_TRUE(replicas_changed(spec));
  spec["placement"].erase("replicaScheduling");
  EXPECT_FALSE(replicas_changed(spec));
  Json components = parsed(R"({"components":[{"name":"c"}],
      "placement":{"replicaScheduling":{"replicaSchedulingType":"Divided"}}})");
  EXPECT_FALSE(replicas_changed(components));
  EXPECT_TRUE(replicas_changed(components, true));
}

TEST(Scheduler_Trigger, names_the_reason_to_run) {
  Json binding = parsed(R"({"spec":{"replicas":2,"clusters":[{"name":"a","replicas":2}],
      "placement":{"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"}}}})");
  EXPECT_EQ(schedule_reason(binding, false), "placement changed");
  std::string applied = std::as_const(binding)["spec"]["placement"].dump();
  binding.make({"metadata", "annotations", "policy.karmada.io/applied-placement"}) = applied;
  EXPECT_EQ(schedule_reason(binding, false), "");
  EXPECT_EQ(schedule_reason(binding, true), "a target cluster is being deleted");
  binding.make({"spec", "rescheduleTriggeredAt"}) = "2026-01-02T00:00:00Z";
  binding.make({"status", "lastScheduledTime"}) = "2026-01-01T00:00:00Z";
  EXPECT_EQ(schedule_reason(binding, false), "rescheduling was triggered");
}

TEST(Scheduler_Condition, tells_what_is_retried) {
  EXPECT_TRUE(scheduled_condition({}).scheduled);
  std::vector<Failure> failures = {{FailureKind::NoClusterFit, "none"}};
  EXPECT_EQ(scheduled_condition(failures).reason, "NoClusterFit");
  EXPECT_TRUE(scheduled_condition(failures).ignore);
  failures.push_back({FailureKind::Unschedulable, "full"});
  EXPECT_FALSE(scheduled_condition(failures).ignore);
  EXPECT_EQ(scheduled_condition(failures).message, "[none, full]");
  failures.erase(failures.begin());
  EXPECT_EQ(scheduled_condition(failures).reason, "Unschedulable");
  failures[0].kind = FailureKind::Other;
  EXPECT_EQ(scheduled_condition(failures).reason, "SchedulerError");
}

}  // namespace
}  // namespace flotilla::scheduler
