// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/select.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/scheduler/candidates.hpp"
#include "core/scheduler/resolve.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> chosen(const std::vector<Group>& groups, std::int32_t min, std::int32_t max,
                                std::int64_t target) {
  std::vector<std::string> names;
  for (std::uint32_t at : choose_groups(groups, min, max, target)) names.emplace_back(groups[at].name);
  return names;
}

TEST(Scheduler_Groups, are_none_when_no_combination_is_feasible) {
  EXPECT_THAT(chosen({{"R1", 1, 80}}, 2, 3, 1), IsEmpty());
  EXPECT_THAT(chosen({{"R1", 1, 80}, {"R2", 2, 30}}, 2, 3, 4), IsEmpty());
}

TEST(Scheduler_Groups, are_the_heaviest_combination) {
  EXPECT_THAT(chosen({{"R1", 1, 80}}, 1, 3, 1), ElementsAre("R1"));
  EXPECT_THAT(
      chosen({{"R1", 1, 80}, {"R3", 1, 80}, {"R2", 1, 60}, {"R5", 2, 60}, {"R4", 5, 50}, {"R6", 3, 50}}, 1, 3,
             10),
      ElementsAre("R5", "R4", "R6"));
}

TEST(Scheduler_Groups, are_fewer_when_a_prefix_suffices) {
  EXPECT_THAT(
      chosen({{"R1", 1, 80}, {"R2", 4, 40}, {"R3", 1, 30}, {"R4", 3, 30}, {"R5", 3, 20}, {"R6", 5, 10}}, 2, 6,
             5),
      ElementsAre("R1", "R2"));
}

TEST(Scheduler_Groups, break_ties_by_value_then_by_discovery) {
  EXPECT_THAT(chosen({{"R4", 1, 60}, {"R3", 3, 50}, {"R1", 3, 40}, {"R2", 4, 30}}, 1, 2, 5),
              ElementsAre("R3", "R1"));
  EXPECT_THAT(chosen({{"R1", 1, 60}, {"R2", 2, 50}, {"R3", 3, 40}, {"R4", 4, 30}}, 1, 2, 5),
              ElementsAre("R1", "R4"));
}

// With a group more than is walked through, none of which can matter, the answer is the same.
TEST(Scheduler_Groups, are_the_same_however_they_are_searched) {
  std::mt19937 random(99);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> names;
    std::vector<Group> few;
    auto count = 3 + random() % 8;
    for (std::size_t i = 0; i < 40; ++i) names.push_back("R" + std::to_string(10 + i));
    for (std::size_t i = 0; i < count; ++i) {
      few.push_back({names[i], static_cast<std::int64_t>(1 + random() % 5),
                     static_cast<std::int64_t>(20 + random() % 4)});
    }
    auto min = static_cast<std::int32_t>(1 + random() % 4);
    auto max = min + static_cast<std::int32_t>(random() % 4);
    auto target = static_cast<std::int64_t>(random() % 15);
    std::vector<Group> many = few;
    for (std::size_t i = 20; i < 40; ++i) many.push_back({names[i], 0, -1'000'000});
    std::vector<std::string> expected = chosen(few, min, max, target);
    std::vector<std::string> found = chosen(many, min, max, target);
    if (expected.empty()) continue;  // the worthless ones may fill up what is missing
    EXPECT_EQ(found, expected) << round;
  }
}

TEST(Scheduler_Groups, are_found_among_a_hundred) {
  std::vector<std::string> names;
  std::vector<Group> groups;
  for (int i = 0; i < 100; ++i) names.push_back("R" + std::to_string(100 + i));
  for (int i = 0; i < 100; ++i)
    groups.push_back({names[static_cast<std::size_t>(i)], 10 + i % 7, 1000 + i % 11});
  std::int64_t clusters = 0;
  for (std::uint32_t at : choose_groups(groups, 5, 20, 100)) clusters += groups[at].value;
  EXPECT_GE(clusters, 100);
}

struct Fleet {
  ClusterTablePtr table;
  std::vector<Candidate> candidates;
};

Fleet fleet(const std::vector<std::pair<std::string, std::int32_t>>& region_and_room) {
  std::vector<api::Json> clusters;
  for (std::size_t i = 0; i < region_and_room.size(); ++i) {
    clusters.push_back(cluster("m" + std::to_string(i + 1), region_and_room[i].first));
  }
  Fleet made{table_of(clusters), {}};
  for (Row row = 0; row < clusters.size(); ++row) {
    std::int32_t room = region_and_room[row].second;
    made.candidates.push_back({row, 0, room, 0, room});
  }
  order_candidates(made.candidates);
  return made;
}

std::vector<std::string> selected(Fleet& made, std::string_view placement, std::int32_t replicas,
                                  std::string* failed = nullptr) {
  static fakes::InTreePolicies policies;
  Binding binding;
  binding.placement = parse_placement(parsed(placement));
  binding.replicas = replicas;
  EXPECT_TRUE((*policies).observe(*made.table).ok());
  Resolver resolver;
  const Workload& workload = resolver.resolve(*made.table, binding, {});
  std::vector<std::string> names;
  Failure failure;
  if (workload.spreads && !select_clusters(workload, *policies, made.candidates, failure)) {
    if (failed != nullptr) *failed = failure.message;
    return names;
  }
  for (const Candidate& candidate : made.candidates) names.emplace_back(made.table->name(candidate.row));
  return names;
}

TEST(Scheduler_Select, takes_all_without_constraints_and_with_static_weights) {
  Fleet made = fleet({{"", 1}, {"", 2}});
  EXPECT_THAT(selected(made, "{}", 9), ElementsAre("m2", "m1"));
  EXPECT_THAT(
      selected(made, R"({"spreadConstraints":[{"spreadByField":"cluster","minGroups":1,"maxGroups":1}],
      "replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted"}})",
               9),
      ElementsAre("m2", "m1"));
}

TEST(Scheduler_Select, swaps_in_room_when_the_first_have_too_little) {
  Fleet made = fleet({{"", 5}, {"", 4}, {"", 9}});
  made.candidates[0].score = 0;
  for (Candidate& candidate : made.candidates) candidate.score = candidate.row == 2 ? 0 : 100;
  order_candidates(made.candidates);
  constexpr std::string_view kTwo =
      R"({"spreadConstraints":[{"spreadByField":"cluster","minGroups":2,"maxGroups":2}],
      "replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"}})";
  EXPECT_THAT(selected(made, kTwo, 14), ElementsAre("m1", "m3"));
  std::string failed;
  Fleet again = fleet({{"", 5}, {"", 4}, {"", 9}});
  EXPECT_THAT(selected(again, kTwo, 15, &failed), IsEmpty());
  EXPECT_EQ(failed, "no enough resource when selecting 2 clusters");
}

TEST(Scheduler_Select, takes_the_best_of_each_region_then_the_best_of_all) {
  Fleet made = fleet({{"R1", 9}, {"R1", 8}, {"R2", 7}, {"R2", 1}, {"", 50}});
  EXPECT_THAT(selected(made, R"({"spreadConstraints":[{"spreadByField":"region","minGroups":2,"maxGroups":2},
      {"spreadByField":"cluster","minGroups":2,"maxGroups":3}],
      "replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"}})",
                       10),
              ElementsAre("m1", "m3", "m2"));
}

TEST(Scheduler_Select, says_what_it_cannot_do) {
  std::string failed;
  Fleet made = fleet({{"R1", 9}});
  selected(made, R"({"spreadConstraints":[{"spreadByField":"provider","minGroups":1,"maxGroups":1}]})", 1,
           &failed);
  EXPECT_EQ(failed, "just support cluster and region spread constraint");
  selected(made, R"({"spreadConstraints":[{"spreadByField":"region","minGroups":2,"maxGroups":2}]})", 1,
           &failed);
  EXPECT_EQ(failed, "the number of feasible region is less than spreadConstraint.MinGroups");
}

}  // namespace
}  // namespace flotilla::scheduler
