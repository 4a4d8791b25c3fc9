// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/affinity_groups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/scheduler/schedule.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> every(const AffinityGroups& groups, const ClusterTable& table,
                               std::string_view self) {
  RowSet rows;
  if (!groups.every_other("g", self, table, rows)) return {"free"};
  return names_of(table, rows);
}

std::vector<std::string> any(const AffinityGroups& groups, const ClusterTable& table, std::string_view self) {
  RowSet rows;
  if (!groups.any_other("g", self, table, rows)) return {"free"};
  return names_of(table, rows);
}

TEST(Scheduler_AffinityGroups, know_what_all_other_members_share) {
  ClusterTablePtr table = table_of({cluster("m1"), cluster("m2"), cluster("m3")});
  AffinityGroups groups;
  EXPECT_THAT(every(groups, *table, "d/a"), ElementsAre("free"));
  groups.put("d/a", "d", "g", "", {"m1", "m2"});
  EXPECT_THAT(every(groups, *table, "d/a"), ElementsAre("free"));
  EXPECT_THAT(every(groups, *table, "d/b"), ElementsAre("m1", "m2"));
  EXPECT_THAT(every(groups, *table, "other/b"), ElementsAre("free"));
  groups.put("d/b", "d", "g", "", {});
  EXPECT_THAT(every(groups, *table, "d/c"), ElementsAre("m1", "m2"));
  groups.put("d/b", "d", "g", "", {"m2", "m3", "gone"});
  EXPECT_THAT(every(groups, *table, "d/c"), ElementsAre("m2"));
  EXPECT_THAT(every(groups, *table, "d/a"), ElementsAre("m2", "m3"));
  EXPECT_THAT(groups.companions("d/a"), UnorderedElementsAre("d/b"));
  groups.remove("d/a");
  EXPECT_THAT(every(groups, *table, "d/b"), ElementsAre("free"));
  EXPECT_THAT(groups.companions("d/b"), IsEmpty());
}

TEST(Scheduler_AffinityGroups, know_where_any_other_member_is) {
  ClusterTablePtr table = table_of({cluster("m1"), cluster("m2"), cluster("m3")});
  AffinityGroups groups;
  groups.put("d/a", "d", "", "g", {"m1"});
  groups.put("d/b", "d", "", "g", {"m1", "m3"});
  EXPECT_THAT(any(groups, *table, "d/a"), ElementsAre("m1", "m3"));
  EXPECT_THAT(any(groups, *table, "d/b"), ElementsAre("m1"));
  EXPECT_THAT(every(groups, *table, "d/c"), ElementsAre("free"));
}

TEST(Scheduler_AffinityGroups, are_the_same_after_changes_as_when_built_anew) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  ClusterTablePtr table = table_of({cluster("m1"), cluster("m2"), cluster("m3"), cluster("m4")});
  AffinityGroups changed;
  std::map<std::string, std::vector<std::string>> truth;
  for (int step = 0; step < 2000; ++step) {
    const std::string name = "d/" + std::to_string(random() % 6);
    if (random() % 4 == 0) {
      changed.remove(name);
      truth.erase(name);
    } else {
      std::vector<std::string> clusters;
      for (int i = 1; i <= 4; ++i) {
        if (random() % 2 == 0) clusters.push_back("m" + std::to_string(i));
      }
      changed.put(name, "d", "g", "g", clusters);
      truth[name] = clusters;
    }
    AffinityGroups anew;
    for (const auto& [binding, clusters] : truth) anew.put(binding, "d", "g", "g", clusters);
    for (int i = 0; i < 7; ++i) {
      const std::string self = "d/" + std::to_string(i);
      ASSERT_EQ(every(changed, *table, self), every(anew, *table, self)) << step;
      ASSERT_EQ(any(changed, *table, self), any(anew, *table, self)) << step;
    }
  }
}

class Scheduler_WorkloadAffinity : public ::testing::Test {
 protected:
  // Names of the targets, or why there are none.
  std::vector<std::string> decided(std::string_view self, std::string_view groups,
                                   std::string_view current = "[]") {
    api::Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"d"},
        "replicas":1,"placement":{}})");
    spec["workloadAffinityGroups"] = parsed(groups);
    spec["clusters"] = parsed(current);
    Binding binding = parse_binding(spec, api::Json());
    binding.self = self;
    Decision decision = schedule(*table_, binding, *policies_, {.groups = &groups_});
    if (!decision.ok()) return {decision.failure.message};
    std::vector<std::string> names;
    for (const Target& target : decision.targets) names.emplace_back(table_->name(target.row));
    return names;
  }

  fakes::InTreePolicies policies_;
  ClusterTablePtr table_ = table_of({cluster("m1"), cluster("m2"), cluster("m3")});
  AffinityGroups groups_;
};

TEST_F(Scheduler_WorkloadAffinity, follows_its_group) {
  EXPECT_THAT(decided("d/a", R"({"affinityGroup":"app=x"})"), ElementsAre("m1", "m2", "m3"));
  groups_.put("d/b", "d", "app=x", "", {"m2"});
  EXPECT_THAT(decided("d/a", R"({"affinityGroup":"app=x"})"), ElementsAre("m2"));
  EXPECT_THAT(decided("d/a", R"({"affinityGroup":"app=y"})"), ElementsAre("m1", "m2", "m3"));
  EXPECT_THAT(decided("d/a", R"({"affinityGroup":"app=x"})", R"([{"name":"m1","replicas":1}])"),
              ElementsAre("m1", "m2"));
  groups_.put("d/c", "d", "app=x", "", {"m3"});
  EXPECT_THAT(decided("d/a", R"({"affinityGroup":"app=x"})"),
              ElementsAre("0/3 clusters are available: 3 ResourceBinding with the same affinity group does "
                          "not target this cluster."));
}

TEST_F(Scheduler_WorkloadAffinity, keeps_away_from_its_anti_affinity_group) {
  groups_.put("d/b", "d", "", "app=x", {"m2"});
  EXPECT_THAT(decided("d/a", R"({"antiAffinityGroup":"app=x"})"), ElementsAre("m1", "m3"));
  EXPECT_THAT(decided("d/b", R"({"antiAffinityGroup":"app=x"})"), ElementsAre("m1", "m2", "m3"));
  groups_.put("d/c", "d", "", "app=x", {"m1", "m3"});
  EXPECT_THAT(decided("d/a", R"({"antiAffinityGroup":"app=x"})"),
              ElementsAre("0/3 clusters are available: 3 cluster already has workload with the same "
                          "anti-affinity group."));
}

}  // namespace
}  // namespace flotilla::scheduler
