// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/node_estimator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/scheduler/schedule.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

Json node(std::string_view name, std::string_view cpu, std::string_view labels = "{}",
          std::string_view taints = "[]") {
  Json made = parsed(R"({"status":{"allocatable":{"memory":"8Gi","pods":"10"}}})");
  made.make({"metadata", "name"}) = name;
  made.make({"metadata", "labels"}) = parsed(labels);
  made.make({"spec", "taints"}) = parsed(taints);
  made.make({"status", "allocatable", "cpu"}) = cpu;
  return made;
}

Json pod(std::string_view node, std::string_view cpu, std::string_view phase = "Running") {
  Json made = parsed(R"({"spec":{"containers":[{"resources":{"requests":{"memory":"1Gi"}}}]}})");
  made.make({"spec", "nodeName"}) = node;
  for (Json& container : made["spec"]["containers"].elements())
    container.make({"resources", "requests", "cpu"}) = cpu;
  made.make({"status", "phase"}) = phase;
  return made;
}

std::int64_t room(const std::vector<Json>& nodes, const std::vector<Json>& pods,
                  std::string_view requirements) {
  return ClusterNodes::make(nodes, pods)->room_for(NodeDemand::parse(parsed(requirements)));
}

constexpr std::string_view kOneCpu = R"({"resourceRequest":{"cpu":"1"}})";

TEST(Scheduler_NodeEstimator, adds_up_whole_replicas_per_node) {
  EXPECT_EQ(room({node("a", "1500m"), node("b", "2500m")}, {}, kOneCpu), 3);
  EXPECT_EQ(room({node("a", "4"), node("b", "4")}, {pod("a", "500m"), pod("b", "3"), pod("b", "9", "Failed")},
                 kOneCpu),
            4);
  EXPECT_EQ(room({node("a", "4")}, {pod("", "3")}, kOneCpu), 4);
}

TEST(Scheduler_NodeEstimator, heeds_every_resource_and_the_places_for_pods) {
  EXPECT_EQ(room({node("a", "64")}, {}, R"({"resourceRequest":{"cpu":"1","memory":"3Gi"}})"), 2);
  EXPECT_EQ(room({node("a", "64")}, {pod("a", "0"), pod("a", "0")}, kOneCpu), 8);
  EXPECT_EQ(room({node("a", "64")}, {}, "{}"), 10);
  EXPECT_EQ(room({node("a", "64")}, {}, R"({"resourceRequest":{"nvidia.com/gpu":"1"}})"), 0);
}

TEST(Scheduler_NodeEstimator, heeds_selector_affinity_and_taints) {
  const std::vector<Json> nodes = {node("a", "2", R"({"zone":"x","disk":"ssd"})"),
                                   node("b", "3", R"({"zone":"y"})"),
                                   node("c", "4", "{}", R"([{"key":"gpu","effect":"NoSchedule"}])"),
                                   node("d", "5", "{}", R"([{"key":"slow","effect":"PreferNoSchedule"}])")};
  const auto with = [&](const std::string& claim) {
    return room(nodes, {}, R"({"resourceRequest":{"cpu":"1"},"nodeClaim":)" + claim + "}");
  };
  EXPECT_EQ(with("{}"), 10);
  EXPECT_EQ(with(R"({"nodeSelector":{"zone":"x"}})"), 2);
  EXPECT_EQ(with(R"({"nodeSelector":{"zone":"x","disk":"hdd"}})"), 0);
  EXPECT_EQ(with(R"({"tolerations":[{"key":"gpu","operator":"Exists"}]})"), 14);
  EXPECT_EQ(with(R"({"hardNodeAffinity":{"nodeSelectorTerms":[
      {"matchExpressions":[{"key":"zone","operator":"In","values":["y"]}]},
      {"matchFields":[{"key":"metadata.name","operator":"In","values":["d"]}]}]}})"),
            8);
  EXPECT_EQ(with(R"({"hardNodeAffinity":{"nodeSelectorTerms":[{}]}})"), 0);
  EXPECT_EQ(with(R"({"hardNodeAffinity":{"nodeSelectorTerms":[
      {"matchExpressions":[{"key":"zone","operator":"Near","values":["y"]}]}]}})"),
            0);
}

std::int64_t sets(const std::vector<Json>& nodes, std::string_view components) {
  const Json spec = parsed(R"({"placement":{},"components":)" + std::string(components) + "}");
  return ClusterNodes::make(nodes, {})->sets_for(
      *NodeDemand::parse_set(parse_binding(spec, Json()).components));
}

TEST(Scheduler_NodeEstimator, packs_whole_sets_replica_by_replica_onto_the_first_node_that_takes_it) {
  constexpr std::string_view kSet =
      R"([{"name":"master","replicas":1,"replicaRequirements":{"resourceRequest":
      {"cpu":"2"}}},{"name":"worker","replicas":2,"replicaRequirements":{"resourceRequest":{"cpu":"1"}}}])";
  EXPECT_EQ(sets({node("a", "4"), node("b", "4")}, kSet), 2);
  // 9 cpus in all, but no node takes a second master.
  EXPECT_EQ(sets({node("a", "3"), node("b", "1"), node("c", "1"), node("d", "1"), node("e", "1")}, kSet), 1);
  EXPECT_EQ(sets({node("a", "1"), node("b", "1")}, kSet), 0);
}

TEST(Scheduler_NodeEstimator, heeds_what_each_component_wants_of_its_nodes) {
  const std::vector<Json> nodes = {node("a", "4", R"({"disk":"ssd"})"), node("b", "4")};
  EXPECT_EQ(sets(nodes, R"([{"name":"db","replicas":1,"replicaRequirements":{"resourceRequest":{"cpu":"2"},
      "nodeClaim":{"nodeSelector":{"disk":"ssd"}}}},{"name":"web","replicas":1,"replicaRequirements":
      {"resourceRequest":{"cpu":"1"}}}])"),
            1);
  EXPECT_EQ(sets(nodes, R"([{"name":"a","replicas":10},{"name":"b","replicas":10}])"), 1);
  EXPECT_EQ(sets(nodes, R"([{"name":"a","replicas":0}])"), INT32_MAX);
}

// What the nodes say stands beside what the summary says; of m2 they say nothing.
TEST(Scheduler_NodeEstimator, takes_part_where_nodes_are_known) {
  fakes::InTreePolicies policies;
  const auto known = ClusterNodes::make(std::vector<Json>{node("a", "3900m"), node("b", "3900m")}, {});
  (*policies).add(std::make_unique<NodeEstimator>(
      [&](const std::string& cluster) { return cluster == "m1" ? known : nullptr; }));
  ClusterTablePtr table = table_of({cluster("m1", "", "8"), cluster("m2", "", "8")});
  Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment"},"replicas":3,
      "replicaRequirements":{"resourceRequest":{"cpu":"3"}},"placement":{}})");
  const Decision decision = schedule(*table, parse_binding(spec, Json()), *policies);
  ASSERT_EQ(decision.record.candidates.size(), 2u);
  EXPECT_EQ(decision.record.candidates[0].allocatable, 2);
  EXPECT_EQ(decision.record.candidates[1].allocatable, 2);
  ASSERT_EQ(decision.record.estimates.size(), 2u);
  EXPECT_THAT(decision.record.estimates[1].replicas, ::testing::ElementsAre(2, -1));
}

}  // namespace
}  // namespace flotilla::scheduler
