// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;
using ::testing::ElementsAre;

Binding binding_of(std::string_view placement, std::int32_t replicas = 4) {
  Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"d","name":"web"},
      "replicaRequirements":{"resourceRequest":{"cpu":"1"}}})");
  spec["replicas"] = replicas;
  spec["placement"] = parsed(placement);
  return parse_binding(spec, Json());
}

std::vector<std::string> targets(const ClusterTable& table, const Decision& decision) {
  std::vector<std::string> texts;
  for (const Target& target : decision.targets) {
    texts.push_back(std::string(table.name(target.row)) + ":" + std::to_string(target.replicas));
  }
  return texts;
}

class Scheduler_Schedule : public ::testing::Test {
 protected:
  Decision decide(const ClusterTable& table, const Binding& binding, const Options& options = {}) {
    return schedule(table, binding, *policies_, options, workspace_);
  }
  fakes::InTreePolicies policies_;
  Workspace workspace_;
};

TEST_F(Scheduler_Schedule, gives_every_cluster_all_replicas_by_default) {
  ClusterTablePtr table = table_of({cluster("m1"), cluster("m2")});
  EXPECT_THAT(targets(*table, decide(*table, binding_of("{}"))), ElementsAre("m1:4", "m2:4"));
}

TEST_F(Scheduler_Schedule, says_for_each_cluster_why_not) {
  Json tainted = cluster("m1");
  tainted.make({"spec", "taints"}) = parsed(R"([{"key":"gpu","value":"a","effect":"NoSchedule"}])");
  Json other_api = cluster("m2");
  other_api["status"].erase("apiEnablements");
  Json deleting = cluster("m3");
  deleting.make({"metadata", "deletionTimestamp"}) = "2026-01-01T00:00:00Z";
  ClusterTablePtr table = table_of({tainted, other_api, deleting, cluster("m4")});
  Decision decision = decide(*table, binding_of(R"({"clusterAffinity":{"exclude":["m4"]}})"));
  EXPECT_EQ(decision.failure.kind, FailureKind::NoClusterFit);
  EXPECT_EQ(decision.failure.message,
            "0/4 clusters are available: 1 cluster(s) did not have the API resource, 1 cluster(s) did not "
            "match the "
            "placement cluster affinity constraint, 1 cluster(s) had untolerated taint {gpu=a:NoSchedule}.");
  ASSERT_EQ(decision.record.reasons.size(), 4u);
  EXPECT_EQ((*policies_).reason(decision.record.reasons[0]),
            "cluster(s) had untolerated taint {gpu=a:NoSchedule}");
  EXPECT_EQ(decision.record.reasons[2], Reasons::kFits);
  EXPECT_EQ((*policies_).entries()[decision.record.policies[0]].policy->name(), "taint_toleration");
}

TEST_F(Scheduler_Schedule, knows_when_there_is_no_cluster_at_all) {
  ClusterTablePtr table = table_of({});
  EXPECT_EQ(decide(*table, binding_of("{}")).failure.message,
            "0/0 clusters are available: no cluster exists.");
}

TEST_F(Scheduler_Schedule, keeps_a_target_that_became_tainted) {
  Json tainted = cluster("m1");
  tainted.make({"spec", "taints"}) = parsed(R"([{"key":"gpu","effect":"NoExecute"}])");
  ClusterTablePtr table = table_of({tainted});
  Binding binding = binding_of("{}");
  EXPECT_FALSE(decide(*table, binding).ok());
  binding.clusters.push_back({"m1", 4});
  EXPECT_THAT(targets(*table, decide(*table, binding)), ElementsAre("m1:4"));
  binding.evicting.emplace_back("m1");
  EXPECT_EQ(decide(*table, binding).failure.message,
            "0/1 clusters are available: 1 cluster(s) is in the process of eviction.");
}

TEST_F(Scheduler_Schedule, follows_the_table_when_a_cluster_changes) {
  ClusterTableBuilder builder;
  builder.update(cluster("m1", "", "10"));
  builder.update(cluster("m2", "", "30"));
  Binding binding = binding_of(R"({"replicaScheduling":{"replicaSchedulingType":"Divided",
      "replicaDivisionPreference":"Weighted","weightPreference":{"dynamicWeight":"AvailableReplicas"}}})");
  ClusterTablePtr table = builder.snapshot();
  EXPECT_THAT(targets(*table, decide(*table, binding)), ElementsAre("m1:1", "m2:3"));
  builder.update(cluster("m2", "", "10"));
  table = builder.snapshot();
  EXPECT_THAT(targets(*table, decide(*table, binding)), ElementsAre("m1:2", "m2:2"));
  Json tainted = cluster("m1");
  tainted.make({"spec", "taints"}) = parsed(R"([{"key":"gpu","effect":"NoExecute"}])");
  builder.update(tainted);
  table = builder.snapshot();
  EXPECT_THAT(targets(*table, decide(*table, binding)), ElementsAre("m2:4"));
}

TEST_F(Scheduler_Schedule, tries_the_affinity_term_that_the_binding_names) {
  ClusterTablePtr table = table_of({cluster("m1"), cluster("m2")});
  Binding binding = binding_of(R"({"clusterAffinities":[{"affinityName":"a","clusterNames":["m1"]},
      {"affinityName":"b","clusterNames":["m2"]}]})");
  EXPECT_THAT(targets(*table, decide(*table, binding)), ElementsAre("m1:4"));
  binding.observed_affinity = "b";
  EXPECT_THAT(targets(*table, decide(*table, binding)), ElementsAre("m2:4"));
}

TEST_F(Scheduler_Schedule, overflows_into_the_next_tier_when_the_first_is_full) {
  ClusterTablePtr table = table_of({cluster("m1", "", "3"), cluster("m2")});
  Binding binding = binding_of(R"({"clusterAffinities":[{"affinityName":"a","clusterNames":["m1"],
      "overflowAffinities":[{"clusterNames":["m2"]}]}],
      "replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"}})");
  EXPECT_THAT(targets(*table, decide(*table, binding)), ElementsAre("m1:3", "m2:1"));
}

TEST_F(Scheduler_Schedule, mentions_selected_clusters_without_replicas_only_when_asked) {
  ClusterTablePtr table = table_of({cluster("m1"), cluster("m2")});
  Binding binding = binding_of(R"({"replicaScheduling":{"replicaSchedulingType":"Divided",
      "replicaDivisionPreference":"Weighted","weightPreference":{"staticWeightList":[
      {"targetCluster":{"clusterNames":["m1"]},"weight":1}]}}})");
  EXPECT_THAT(targets(*table, decide(*table, binding)), ElementsAre("m1:4"));
  EXPECT_THAT(targets(*table, decide(*table, binding, {.empty_workload_propagation = true})),
              ElementsAre("m1:4", "m2:0"));
}

// docs/design/scheduler.md walks this decision.
TEST_F(Scheduler_Schedule, decides_the_documented_example_as_documented) {
  Json oslo = cluster("oslo", "eu", "9");
  oslo.make({"spec", "taints"}) = parsed(R"([{"key":"maintenance","effect":"NoSchedule"}])");
  ClusterTablePtr table = table_of(
      {cluster("berlin", "eu", "4"), cluster("dublin", "eu", "3"), oslo, cluster("tokyo", "asia", "2")});
  Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment"},"replicas":12,
      "replicaRequirements":{"resourceRequest":{"cpu":"500m"}},"clusters":[{"name":"tokyo","replicas":3}],
      "placement":{"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted",
      "weightPreference":{"dynamicWeight":"AvailableReplicas"}},"spreadConstraints":[
      {"spreadByField":"region","minGroups":1,"maxGroups":2},
      {"spreadByField":"cluster","minGroups":2,"maxGroups":3}]}})");
  Decision decision = decide(*table, parse_binding(spec, Json()));
  EXPECT_THAT(targets(*table, decision), ElementsAre("berlin:7", "dublin:5"));
  ASSERT_EQ(decision.record.candidates.size(), 3u);
  EXPECT_EQ(table->name(decision.record.candidates[0].row), "tokyo");
  EXPECT_EQ(decision.record.candidates[0].score, 100);
  EXPECT_EQ(decision.record.candidates[0].available, 7);
  EXPECT_EQ(decision.record.candidates[1].available, 8);
}

// Keeps one cluster out, prefers another, and knows the room of a third.
class Opinionated final : public Policy {
 public:
  std::string_view name() const override { return "opinionated"; }
  std::uint32_t steps() const override { return kFilterStep | kScoreStep | kEstimateStep; }
  Status observe(const ClusterTable&, Reasons& reasons) override {
    reason_ = reasons.intern("I do not like it");
    return {};
  }
  Status filter(const Workload& workload, RowRange, std::span<std::uint64_t> fits,
                std::span<Reason> reasons) const override {
    Row row = workload.table->find("m1");
    fits[row / 64] &= ~(std::uint64_t{1} << row % 64);
    reasons[row] = reason_;
    return {};
  }
  Status score(const Workload& workload, RowRange, std::span<const std::uint64_t>,
               std::span<std::int32_t> scores) const override {
    scores[workload.table->find("m3")] = 500;
    return {};
  }
  Status estimate(const Workload& workload, RowRange, std::span<const std::uint64_t>,
                  std::span<std::int64_t> replicas) const override {
    replicas[workload.table->find("m2")] = 1;
    return {};
  }

 private:
  Reason reason_ = 0;
};

TEST(Scheduler_Policies, decide_through_the_seam_alone) {
  Policies policies;
  policies.add(std::make_unique<Opinionated>());
  ClusterTablePtr table = table_of({cluster("m1"), cluster("m2"), cluster("m3")});
  Binding binding = binding_of("{}");
  Decision decision = schedule(*table, binding, policies);
  EXPECT_THAT(targets(*table, decision), ElementsAre("m2:4", "m3:4"));
  EXPECT_EQ(policies.reason(decision.record.reasons[0]), "I do not like it");
  ASSERT_EQ(decision.record.candidates.size(), 2u);
  EXPECT_EQ(decision.record.candidates[0].allocatable, 1);
  EXPECT_EQ(decision.record.candidates[1].score, 50);
}

TEST(Scheduler_Policies, leave_what_they_said_in_the_record) {
  Policies policies;
  policies.add(std::make_unique<Opinionated>(), 2);
  ClusterTablePtr table = table_of({cluster("m1"), cluster("m2"), cluster("m3")});
  Binding binding = binding_of(R"({"replicaScheduling":{"replicaSchedulingType":"Divided",
      "replicaDivisionPreference":"Aggregated"}})");
  Options options;
  options.ticks = [] {
    static std::int64_t now = 0;
    return now += 7;
  };
  const Record record = schedule(*table, binding, policies, options).record;
  ASSERT_EQ(record.scores.size(), 1u);
  EXPECT_EQ(record.scores[0].weight, 2);
  EXPECT_EQ(record.scores[0].scores[2], 500);
  ASSERT_EQ(record.estimates.size(), 1u);
  EXPECT_EQ(record.estimates[0].policy, 0);
  EXPECT_THAT(record.estimates[0].replicas, ElementsAre(-1, 1, -1));
  EXPECT_THAT(record.nanoseconds, ElementsAre(7, 7, 7, 7, 7));
}

}  // namespace
}  // namespace flotilla::scheduler
