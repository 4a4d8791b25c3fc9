// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/assign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  AssignInput input;
  input.strategy = given.strategy;
  input.replicas = given.replicas;
  input.fresh = given.fresh;
  input.previous = given.previous;
  input.weights = given.weights;
  Failure failure;
  std::vector<std::int32_t> by_row(given.room.size());
  for (const Target& target : assign_replicas(input, candidates, failure))
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
  AssignInput input;
  input.strategy = Strategy::Aggregated;
  input.replicas = 8;
  input.tiers = true;
  Failure failure;
  EXPECT_THAT(assign_replicas(input, candidates, failure), ElementsAre(Target{0, 3}, Target{1, 5}));
  input.replicas = 19;
  EXPECT_THAT(assign_replicas(input, candidates, failure), IsEmpty());
  EXPECT_EQ(failure.message, "Clusters available replicas are not enough to schedule.");
}

}  // namespace
}  // namespace flotilla::scheduler
