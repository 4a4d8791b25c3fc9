// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/reservations.hpp"

#include <gtest/gtest.h>

#include <random>

#include "core/scheduler/schedule.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;
using std::chrono::seconds;

SteadyTime at(int second) {
  return SteadyTime(seconds(second));
}

Binding workload(int replicas, std::string_view cpu = "1") {
  Json spec = parsed(
      R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"default","name":"web"},
          "placement":{"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"}}})");
  spec["replicas"] = replicas;
  spec.make({"replicaRequirements", "resourceRequest", "cpu"}) = cpu;
  return parse_binding(spec, Json());
}

std::int64_t promised(Reservations& reservations, const std::string& cluster) {
  std::int64_t sum = 0;
  for (const auto& change : reservations.take_changes()) {
    if (change.cluster != cluster) continue;
    for (const Promise& promise : change.promises) sum += promise.replicas;
  }
  return sum;
}

TEST(Scheduler_Reservations, hold_what_a_decision_added_until_it_is_healthy_and_counted) {
  Reservations reservations;
  const Binding binding = workload(5);
  const std::vector<TargetCluster> before = {{"m1", 2}}, after = {{"m1", 5}};
  const std::vector<Observation> seen = {{true, 11}};
  reservations.decided("a", binding, before, after, seen, at(0));
  EXPECT_EQ(promised(reservations, "m1"), 3);
  reservations.observed("a", "m1", {true, 11}, at(1));  // what it said before
  reservations.counted("m1");
  EXPECT_EQ(reservations.replicas_held("a", "m1"), 3);
  reservations.observed("a", "m1", {false, 12}, at(2));
  reservations.counted("m1");
  EXPECT_EQ(reservations.replicas_held("a", "m1"), 3);
  reservations.observed("a", "m1", {true, 13}, at(3));
  EXPECT_EQ(reservations.replicas_held("a", "m1"), 3);
  reservations.counted("m1");
  EXPECT_EQ(reservations.replicas_held("a", "m1"), 0);
  const auto changes = reservations.take_changes();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_TRUE(changes[0].less);
  EXPECT_TRUE(changes[0].promises.empty());
}

TEST(Scheduler_Reservations, end_by_themselves) {
  Reservations reservations({.longest = seconds(300), .settle = seconds(20)});
  const std::vector<TargetCluster> after = {{"m1", 1}, {"m2", 1}};
  const std::vector<Observation> seen(2);
  reservations.decided("a", workload(2), {}, after, seen, at(0));
  reservations.observed("a", "m1", {true, 5}, at(10));
  EXPECT_EQ(reservations.next_due(), at(30));
  reservations.expire(at(30));  // the cluster says the same as before: it had counted already
  EXPECT_EQ(reservations.replicas_held("a", "m1"), 0);
  EXPECT_EQ(reservations.replicas_held("a", "m2"), 1);
  reservations.expire(at(300));
  EXPECT_EQ(reservations.size(), 0u);
}

TEST(Scheduler_Reservations, count_a_second_decision_on_top_of_what_is_in_flight) {
  Reservations reservations;
  const std::vector<TargetCluster> two = {{"m1", 2}}, six = {{"m1", 6}}, four = {{"m1", 4}};
  const std::vector<Observation> seen(1);
  reservations.decided("a", workload(2), {}, two, seen, at(0));
  reservations.decided("a", workload(6), two, six, seen, at(1));
  EXPECT_EQ(reservations.replicas_held("a", "m1"), 6);
  reservations.decided("a", workload(4), six, four, seen, at(2));
  EXPECT_EQ(reservations.replicas_held("a", "m1"), 4);
  reservations.forget("a");
  EXPECT_EQ(reservations.size(), 0u);
}

TEST(Scheduler_Reservations, follow_from_stored_bindings_after_a_restart) {
  Reservations reservations;
  Binding binding = workload(5);
  binding.clusters = {{"m1", 3}, {"m2", 2}};
  const std::vector<Observation> seen = {{true, 1}, {false, 2}};
  reservations.restored("a", binding, seen, seconds(10), at(0));
  EXPECT_EQ(reservations.replicas_held("a", "m1"), 0);
  EXPECT_EQ(reservations.replicas_held("a", "m2"), 2);
  EXPECT_EQ(reservations.next_due(), at(290));
  reservations.restored("b", binding, seen, seconds(400), at(0));
  EXPECT_FALSE(reservations.knows("b"));
}

TEST(Scheduler_Reservations, take_room_from_the_table_and_from_the_nodes_of_a_model) {
  Json modelled = cluster("m2", "", "100");
  modelled.make({"spec", "resourceModels"}) = parsed(
      R"([{"grade":0,"ranges":[{"name":"cpu","min":"0","max":"4"}]},{"grade":1,"ranges":[{"name":"cpu","min":"4","max":"8"}]}])");
  modelled.make({"status", "resourceSummary", "allocatableModelings"}) =
      parsed(R"([{"grade":0,"count":3},{"grade":1,"count":3}])");
  ClusterTableBuilder builder;
  builder.update(cluster("m1", "", "10"));
  builder.update(modelled);
  fakes::InTreePolicies policies;
  Workspace workspace;
  const auto room = [&](std::string_view name) {
    const ClusterTablePtr table = builder.snapshot();
    const Decision decision = schedule(*table, workload(1), *policies, {}, workspace);
    for (const Candidate& candidate : decision.record.candidates) {
      if (table->name(candidate.row) == name) return candidate.allocatable;
    }
    return -1;
  };
  EXPECT_EQ(room("m1"), 10);
  EXPECT_EQ(room("m2"), 12);
  const Request cpu{"cpu", workload(1).requests[0].amount};
  builder.promise("m1", {{4, {cpu}}});
  builder.promise("m2", {{5, {cpu}}});
  EXPECT_EQ(room("m1"), 6);
  EXPECT_EQ(room("m2"), 7);
  builder.update(cluster("m1", "", "20"));  // a new status leaves promises as they are
  EXPECT_EQ(room("m1"), 16);
  builder.promise("m1", {});
  builder.promise("m2", {});
  EXPECT_EQ(room("m1"), 20);
  EXPECT_EQ(room("m2"), 12);
}

// Small replicas: the places for pods are what a node runs out of, and promised ones are taken.
TEST(Scheduler_Reservations, take_the_places_for_pods_of_the_nodes_of_a_model) {
  Json modelled = cluster("m1", "", "100");
  modelled.make({"status", "resourceSummary", "allocatable", "pods"}) = "1000";
  modelled.make({"spec", "resourceModels"}) =
      parsed(R"([{"grade":0,"ranges":[{"name":"cpu","min":"8","max":"16"}]}])");
  modelled.make({"status", "resourceSummary", "allocatableModelings"}) = parsed(R"([{"grade":0,"count":2}])");
  ClusterTableBuilder builder;
  builder.update(modelled);
  fakes::InTreePolicies policies;
  Workspace workspace;
  Binding small = workload(1);
  small.requests[0].amount = api::Quantity::parse("10m").value();
  const auto room = [&] {
    return schedule(*builder.snapshot(), small, *policies, {}, workspace).record.candidates[0].allocatable;
  };
  EXPECT_EQ(room(), 220);
  builder.promise("m1", {{150, small.requests}});
  EXPECT_EQ(room(), 70);
}

// Bursts of bindings of any size, over clusters that count late: no cluster gets more than it has, and what
// has room is placed.
TEST(Scheduler_Reservations, never_let_a_burst_over_commit) {
  for (unsigned seed : {3u, 20261122u, 404u}) {
    std::mt19937 random(seed);
    ClusterTableBuilder builder;
    std::map<std::string, std::int64_t> capacity, given;
    for (int i = 0; i < 8; ++i) {
      const std::string name = "m" + std::to_string(i);
      capacity[name] = static_cast<std::int64_t>(5 + random() % 20);
      builder.update(cluster(name, "", std::to_string(capacity[name])));
    }
    Reservations reservations;
    fakes::InTreePolicies policies;
    Workspace workspace;
    for (int i = 0; i < 60; ++i) {
      for (auto& change : reservations.take_changes()) builder.promise(change.cluster, change.promises);
      const ClusterTablePtr table = builder.snapshot();
      const Binding binding = workload(static_cast<int>(1 + random() % 6));
      const Decision decision = schedule(*table, binding, *policies, {}, workspace);
      std::int64_t left = 0;
      for (const auto& [name, cpus] : capacity) left += cpus - given[name];
      EXPECT_EQ(decision.ok(), left >= binding.replicas) << decision.failure.message;
      if (!decision.ok()) continue;
      std::vector<TargetCluster> after;
      for (const Target& target : decision.targets) {
        after.push_back({std::string(table->name(target.row)), target.replicas});
        given[after.back().name] += target.replicas;
        EXPECT_LE(given[after.back().name], capacity[after.back().name]) << "seed " << seed;
      }
      const std::vector<Observation> seen(after.size());
      reservations.decided("b" + std::to_string(i), binding, {}, after, seen, at(i));
    }
  }
}

}  // namespace
}  // namespace flotilla::scheduler
