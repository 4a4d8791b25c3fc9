// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/cluster_table_builder.hpp"
#include "core/scheduler/placement.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

std::int64_t available_cpu(const ClusterTable& table, std::string_view name) {
  return table.resources().planes[table.find_resource("cpu")].available[table.find(name)];
}

TEST(Scheduler_ClusterTable, has_rows_in_the_order_of_names) {
  ClusterTablePtr table = table_of({cluster("m2"), cluster("m10"), cluster("m1")});
  EXPECT_EQ(table->name(0), "m1");
  EXPECT_EQ(table->name(1), "m10");
  EXPECT_EQ(table->name(2), "m2");
  EXPECT_EQ(table->find("m2"), 2u);
  EXPECT_EQ(table->find("m3"), kNoRow);
}

TEST(Scheduler_ClusterTable, subtracts_exactly_and_rounds_once) {
  Json made = cluster("m1", "", "2");
  made.make({"status", "resourceSummary", "allocated"}) = parsed(R"({"cpu":"300u","memory":"1500m"})");
  ClusterTablePtr table = table_of({made});
  EXPECT_EQ(available_cpu(*table, "m1"), 2000);  // 1999.7 thousandths
  std::uint32_t memory = table->find_resource("memory");
  EXPECT_EQ(table->resources().planes[memory].available[0], (std::int64_t{100} << 30) - 1);
}

TEST(Scheduler_ClusterTable, shares_what_did_not_change) {
  ClusterTableBuilder builder;
  builder.update(cluster("m1"));
  builder.update(cluster("m2"));
  ClusterTablePtr before = builder.snapshot();
  EXPECT_EQ(builder.snapshot(), before);
  builder.update(cluster("m2"));
  EXPECT_EQ(builder.snapshot(), before);
  builder.update(cluster("m2", "", "7"));
  ClusterTablePtr after = builder.snapshot();
  EXPECT_GT(after->epoch(), before->epoch());
  EXPECT_EQ(after->shared_identity(), before->shared_identity());
  EXPECT_EQ(after->shared_apis(), before->shared_apis());
  EXPECT_EQ(available_cpu(*after, "m2"), 7000);
  EXPECT_EQ(available_cpu(*before, "m2"), 100000);
}

TEST(Scheduler_ClusterTable, serves_an_api_where_it_is_enabled) {
  Json bare = cluster("m2");
  bare["status"].erase("apiEnablements");
  ClusterTableBuilder builder;
  builder.update(cluster("m1"));
  builder.update(bare);
  ClusterTablePtr table = builder.snapshot();
  std::uint32_t api = table->find_api("apps/v1", "Deployment");
  ASSERT_NE(api, kNoApi);
  EXPECT_TRUE(has_bit(table->rows_serving(api), 0));
  EXPECT_FALSE(has_bit(table->rows_serving(api), 1));
  EXPECT_EQ(table->find_api("apps/v1", "StatefulSet"), kNoApi);
  builder.update(cluster("m2"));
  ClusterTablePtr later = builder.snapshot();
  EXPECT_TRUE(has_bit(later->rows_serving(later->find_api("apps/v1", "Deployment")), 1));
}

// A compiled placement that follows a table equals one compiled anew.
TEST(Scheduler_ClusterTable, is_followed_by_compiled_placements) {
  std::mt19937 random(20261123);
  ClusterTableBuilder builder;
  const PlacementPtr placement = parse_placement(parsed(
      R"({"clusterAffinities":[{"affinityName":"a","labelSelector":{"matchLabels":{"l":"1"}},"overflowAffinities":[{"affinityName":"b","clusterNames":["m1","m90"]}]}],
          "replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":
            {"staticWeightList":[{"targetCluster":{"labelSelector":{"matchLabels":{"l":"2"}}},"weight":3}]}}})"));
  PlacementCache following;
  for (int step = 0; step < 400; ++step) {
    Json made = cluster("m" + std::to_string(random() % 150));
    made.make({"metadata", "labels", "l"}) = std::to_string(random() % 3);
    if (random() % 2 == 0) made.make({"metadata", "labels", "further"}) = "x";
    if (random() % 20 == 0) {
      builder.remove(made["metadata"]["name"].as_string());
    } else {
      builder.update(made);
    }
    if (random() % 3 != 0) continue;
    const ClusterTablePtr table = builder.snapshot();
    PlacementCache fresh;
    const CompiledPlacement& anew = fresh.get(*table, placement);
    const CompiledPlacement& followed = following.get(*table, placement);
    ASSERT_EQ(anew.weights, followed.weights);
    for (std::size_t tier = 0; tier < 2; ++tier) {
      ASSERT_EQ(names_of(*table, anew.affinities[0][tier]), names_of(*table, followed.affinities[0][tier]));
    }
  }
}

// Any sequence of changes ends in the same table as building it anew.
TEST(Scheduler_ClusterTable, is_the_same_after_changes_as_when_built_anew) {
  std::mt19937 random(20260301);
  ClusterTableBuilder builder;
  std::vector<Json> clusters;
  for (int step = 0; step < 300; ++step) {
    std::string name = "m" + std::to_string(random() % 12);
    auto same = [&](const Json& other) { return other["metadata"]["name"].as_string() == name; };
    std::erase_if(clusters, same);
    if (random() % 4 == 0) {
      builder.remove(name);
    } else {
      Json made = cluster(name, "r" + std::to_string(random() % 3), std::to_string(random() % 9));
      if (random() % 2 == 0) made.make({"metadata", "labels", "l"}) = std::to_string(random() % 3);
      if (random() % 3 == 0) made["status"].erase("apiEnablements");
      if (random() % 3 == 0) made.make({"status", "resourceSummary", "allocatable", "gpu"}) = "2";
      builder.update(made);
      clusters.push_back(made);
    }
    if (random() % 3 != 0) continue;
    ClusterTablePtr changed = builder.snapshot();
    ClusterTablePtr fresh = table_of(clusters);
    ASSERT_EQ(changed->size(), fresh->size());
    for (Row row = 0; row < fresh->size(); ++row) {
      EXPECT_EQ(changed->name(row), fresh->name(row));
      EXPECT_EQ(changed->identity().flags[row], fresh->identity().flags[row]);
      EXPECT_EQ(changed->identity().labels.at(row).size(), fresh->identity().labels.at(row).size());
      EXPECT_EQ(changed->symbols().text(changed->identity().regions[row]),
                fresh->symbols().text(fresh->identity().regions[row]));
      for (std::string_view resource : {"cpu", "gpu"}) {
        auto amount = [&](const ClusterTable& table) {
          std::uint32_t at = table.find_resource(resource);
          return at == kNoResource ? kAbsent : table.resources().planes[at].available[row];
        };
        EXPECT_EQ(amount(*changed), amount(*fresh));
      }
      auto serves = [&](const ClusterTable& table) {
        std::uint32_t api = table.find_api("apps/v1", "Deployment");
        return api != kNoApi && has_bit(table.rows_serving(api), row);
      };
      EXPECT_EQ(serves(*changed), serves(*fresh));
    }
  }
}

}  // namespace
}  // namespace flotilla::scheduler
