// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/assign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Case {
  Strategy strategy = Strategy::DynamicWeight;
  std::int32_t replicas = 0;
  std::vector<std::int32_t> room;  // further replicas, per row
  std::vector<Target> previous = {};
  bool fresh = false;
  std::vector<std::int64_t> weights = {};
};

// A workload as policies see it, without the steps before assign.
struct Asked {
  explicit Asked(const Case& given) {
    std::vector<api::Json> clusters;
    for (std::size_t i = 0; i < given.room.size(); ++i)
      clusters.push_back(cluster("m" + std::to_string(100 + i)));
    table = table_of(clusters);
    auto read = std::make_shared<Placement>();
    read->has_scheduling = true;
    read->strategy = given.strategy;
    binding.placement = read;
    binding.replicas = given.replicas;
    binding.reschedule = given.fresh;
    compiled.weights = given.weights;
    workload.table = table.get();
    workload.binding = &binding;
    workload.placement = &compiled;
    workload.requests = &requests;
    workload.previous = previous = given.previous;
    workload.decision = 1;
    EXPECT_TRUE((*policies).observe(*table).ok());
  }

  ClusterTablePtr table;
  Binding binding;
  CompiledPlacement compiled;
  ResolvedRequests requests;
  std::vector<Target> previous;
  Workload workload;
  fakes::InTreePolicies policies;
};

// Replicas by row; the message in `failed` when it fails.
std::vector<std::int32_t> assigned(const Case& given, std::string* failed = nullptr) {
  std::vector<Candidate> candidates;
  for (Row row = 0; row < given.room.size(); ++row) {
    if (given.room[row] < 0) continue;
    Candidate candidate{row};
    candidate.allocatable = given.room[row];
    candidate.available = given.room[row];
    candidates.push_back(candidate);
  }
  Asked asked(given);
  Failure failure;
  std::vector<std::int32_t> by_row(given.room.size());
  for (const Target& target : assign_replicas(asked.workload, *asked.policies, candidates, failure))
    by_row[target.row] = target.replicas;
  if (failed != nullptr) *failed = failure.message;
  return by_row;
}

TEST(Scheduler_Assign, divides_by_static_weight) {
  EXPECT_THAT(
      assigned({.strategy = Strategy::StaticWeight, .replicas = 13, .room = {0, 0, 0}, .weights = {3, 2, 1}}),
      ElementsAre(7, 4, 2));
  EXPECT_THAT(assigned({.strategy = Strategy::StaticWeight, .replicas = 12, .room = {0, 0, 0}}),
              ElementsAre(4, 4, 4));
  EXPECT_THAT(
      assigned({.strategy = Strategy::StaticWeight, .replicas = 2, .room = {0, 0}, .weights = {1, 0}}),
      ElementsAre(2, 0));
  EXPECT_THAT(
      assigned({.strategy = Strategy::StaticWeight, .replicas = 2, .room = {0, 0}, .weights = {0, 0}}),
      ElementsAre(1, 1));
}

TEST(Scheduler_Assign, divides_by_room) {
  EXPECT_THAT(assigned({.replicas = 12, .room = {18, 12, 6}}), ElementsAre(6, 4, 2));
  EXPECT_THAT(assigned({.replicas = 12, .room = {6, 8, 10}}), ElementsAre(3, 4, 5));
}

TEST(Scheduler_Assign, keeps_what_runs_when_it_grows) {
  EXPECT_THAT(assigned({.replicas = 24, .room = {10, 10, 10}, .previous = {{0, 2}, {1, 4}, {2, 6}}}),
              ElementsAre(6, 8, 10));
}

TEST(Scheduler_Assign, shrinks_in_proportion_whatever_the_room) {
  EXPECT_THAT(assigned({.replicas = 6, .room = {0, 0, 99}, .previous = {{0, 2}, {1, 4}, {2, 6}}}),
              ElementsAre(1, 2, 3));
}

TEST(Scheduler_Assign, keeps_previous_clusters_when_steady) {
  EXPECT_THAT(assigned({.replicas = 6, .room = {50, 0}, .previous = {{1, 6}}}), ElementsAre(0, 6));
}

TEST(Scheduler_Assign, forgets_previous_clusters_when_fresh) {
  Case given{.strategy = Strategy::Aggregated, .replicas = 8, .room = {98, 4, 0}, .previous = {{2, 8}}};
  given.fresh = true;
  EXPECT_THAT(assigned(given), ElementsAre(8, 0, 0));
}

TEST(Scheduler_Assign, moves_what_ran_on_a_cluster_that_is_no_candidate) {
  EXPECT_THAT(assigned({.replicas = 12, .room = {3, 3, -1}, .previous = {{0, 6}, {2, 6}}}),
              ElementsAre(9, 3, 0));
}

TEST(Scheduler_Assign, aggregates_on_the_fewest_clusters_those_in_use_first) {
  EXPECT_THAT(assigned({.strategy = Strategy::Aggregated, .replicas = 12, .room = {12, 6, 6}}),
              ElementsAre(12, 0, 0));
  EXPECT_THAT(assigned({.strategy = Strategy::Aggregated, .replicas = 12, .room = {6, 8, 10}}),
              ElementsAre(0, 5, 7));
  EXPECT_THAT(assigned({.strategy = Strategy::Aggregated,
                        .replicas = 24,
                        .room = {6, 6, 20},
                        .previous = {{0, 4}, {1, 8}}}),
              ElementsAre(10, 14, 0));
}

TEST(Scheduler_Assign, fails_for_want_of_room) {
  std::string failed;
  EXPECT_THAT(assigned({.replicas = 12, .room = {3, 3, 3}}, &failed), ElementsAre(0, 0, 0));
  EXPECT_EQ(failed, "failed to scale up: Clusters available replicas 9 are not enough to schedule.");
}

TEST(Scheduler_Assign, fills_one_tier_after_the_other) {
  std::vector<Candidate> candidates = {{0, 0, 4, 1, 4}, {1, 0, 5, 0, 5}, {2, 0, 9, 2, 9}};
  Asked asked({.strategy = Strategy::Aggregated, .replicas = 8, .room = {4, 5, 9}});
  asked.workload.tiers = true;
  Failure failure;
  EXPECT_THAT(assign_replicas(asked.workload, *asked.policies, candidates, failure),
              ElementsAre(Target{0, 3}, Target{1, 5}));
  asked.binding.replicas = 19;
  ++asked.workload.decision;
  EXPECT_THAT(assign_replicas(asked.workload, *asked.policies, candidates, failure), IsEmpty());
  EXPECT_EQ(failure.kind, FailureKind::Unschedulable);
  EXPECT_EQ(failure.message, "Clusters available replicas are not enough to schedule.");
}

}  // namespace
}  // namespace flotilla::scheduler
