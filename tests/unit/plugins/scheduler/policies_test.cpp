// SPDX-License-Identifier: Apache-2.0
// The in-tree policies as the files that are shipped, each alone over a small fleet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/plugin/registry.hpp"
#include "core/plugin/scheduler_adapter.hpp"
#include "core/scheduler/schedule.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::plugin {
namespace {

using api::Json;
using scheduler::cluster;
using scheduler::parsed;
using ::testing::ElementsAre;

class Plugins_Scheduler : public ::testing::Test {
 protected:
  ~Plugins_Scheduler() override {
    policies_ = scheduler::Policies();
    executor_.stop();
  }

  void load(const std::string& name, const std::string& directory = PLUGIN_DIRECTORY) {
    Status loaded = registry_.load(directory + "/" + name + ".so");
    ASSERT_TRUE(loaded.ok()) << loaded.error().message();
    auto instance = registry_.instantiate(FLT_KIND_SCHEDULER, name);
    ASSERT_TRUE(instance.ok()) << instance.error().message();
    auto policy = make_scheduler_policy(std::move(*instance));
    ASSERT_TRUE(policy.ok()) << policy.error().message();
    policies_.add(std::move(*policy));
  }

  // Names of the targets, or why there are none.
  std::vector<std::string> decided(const std::vector<Json>& clusters, std::string_view spec) {
    scheduler::ClusterTablePtr table = scheduler::table_of(clusters);
    scheduler::Binding binding = scheduler::parse_binding(parsed(spec), Json());
    scheduler::Decision decision = scheduler::schedule(*table, binding, policies_);
    if (!decision.ok()) return {decision.failure.message};
    std::vector<std::string> names;
    for (const scheduler::Target& target : decision.targets) names.emplace_back(table->name(target.row));
    return names;
  }

  SystemClock clock_;
  Executor executor_{clock_, {.io_threads = 1, .blocking_threads = 1}};
  HostEnvironment environment_{executor_, "flotilla test"};
  Registry registry_{environment_};
  scheduler::Policies policies_;
};

Json with_taint(std::string_view name, std::string_view taint) {
  Json made = cluster(name);
  made.make({"spec", "taints"}) = Json::array({parsed(taint)});
  return made;
}

Json tiered(std::string_view name, std::string_view tier, std::string_view cpu) {
  Json made = cluster(name, "", cpu);
  made.make({"metadata", "labels", "tier"}) = tier;
  return made;
}

// Where the examples are: those built with everything else, or those of a test that builds them apart.
std::string examples() {
  const char* apart = std::getenv("FLOTILLA_EXAMPLES");
  return apart == nullptr ? EXAMPLE_DIRECTORY : apart;
}

TEST_F(Plugins_Scheduler, cluster_affinity_keeps_what_the_placement_matches) {
  load("cluster_affinity");
  load("replica_division");
  std::vector<Json> fleet = {cluster("m1"), cluster("m2"), cluster("m3")};
  EXPECT_THAT(decided(fleet, R"({"placement":{}})"), ElementsAre("m1", "m2", "m3"));
  EXPECT_THAT(decided(fleet, R"({"placement":{"clusterAffinity":{"exclude":["m2"]}}})"),
              ElementsAre("m1", "m3"));
  constexpr std::string_view kOverflow =
      R"({"replicas":1,"placement":{"clusterAffinities":[{"affinityName":"a",
      "clusterNames":["m1"],"overflowAffinities":[{"clusterNames":["m3"]}]}]}})";
  EXPECT_THAT(decided(fleet, kOverflow), ElementsAre("m1"));
  EXPECT_THAT(decided({cluster("m2"), cluster("m3")}, kOverflow), ElementsAre("m3"));
}

TEST_F(Plugins_Scheduler, taint_toleration_keeps_off_what_is_not_tolerated) {
  load("taint_toleration");
  Json hard = with_taint("m1", R"({"key":"gpu","value":"a","effect":"NoExecute"})");
  EXPECT_THAT(
      decided({hard}, R"({"placement":{}})"),
      ElementsAre("0/1 clusters are available: 1 cluster(s) had untolerated taint {gpu=a:NoExecute}."));
  auto tolerated = [&](std::string_view toleration) {
    return decided({hard, cluster("m2")},
                   R"({"placement":{"clusterTolerations":[)" + std::string(toleration) + "]}}")
               .size() == 2;
  };
  EXPECT_TRUE(tolerated(R"({"operator":"Exists"})"));
  EXPECT_TRUE(tolerated(R"({"key":"gpu","value":"a"})"));
  EXPECT_TRUE(tolerated(R"({"key":"gpu","operator":"Exists","effect":"NoExecute"})"));
  EXPECT_FALSE(tolerated(R"({"key":"gpu","operator":"Exists","effect":"NoSchedule"})"));
  EXPECT_FALSE(tolerated(R"({"key":"gpu","operator":"Equal","value":"b"})"));
  EXPECT_FALSE(tolerated(R"({"key":"gpu","operator":"Gt","value":"a"})"));
  Json soft = with_taint("m1", R"({"key":"gpu","effect":"PreferNoSchedule"})");
  EXPECT_THAT(decided({soft}, R"({"placement":{}})"), ElementsAre("m1"));
  EXPECT_THAT(decided({hard}, R"({"clusters":[{"name":"m1"}],"placement":{}})"), ElementsAre("m1"));
}

TEST_F(Plugins_Scheduler, api_enablement_wants_the_api_of_new_targets) {
  load("api_enablement");
  constexpr std::string_view kJob = R"({"resource":{"apiVersion":"batch/v1","kind":"Job"},"placement":{},
      "clusters":[{"name":"m2"}]})";
  EXPECT_THAT(decided({cluster("m1"), cluster("m2")}, kJob), ElementsAre("m2"));
  EXPECT_THAT(
      decided({cluster("m1")}, R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment"},"placement":{}})"),
      ElementsAre("m1"));
}

TEST_F(Plugins_Scheduler, cluster_eviction_does_not_bring_back_what_is_leaving) {
  load("cluster_eviction");
  EXPECT_THAT(decided({cluster("m1"), cluster("m2")},
                      R"({"placement":{},"gracefulEvictionTasks":[{"fromCluster":"m1"}]})"),
              ElementsAre("m2"));
}

TEST_F(Plugins_Scheduler, spread_constraint_wants_what_is_spread_by) {
  load("spread_constraint");
  load("group_selection");
  Json zoned = cluster("m3");
  zoned.make({"spec", "zones"}) = Json::array({"z"});
  auto spread = [&](const std::string& field) {
    return decided({cluster("m1"), zoned}, R"({"placement":{"spreadConstraints":[{"spreadByField":")" +
                                               field + R"(","minGroups":1,"maxGroups":1}]}})")[0];
  };
  EXPECT_EQ(spread("provider"), "0/2 clusters are available: 2 cluster(s) did not have provider property.");
  EXPECT_EQ(spread("region"), "0/2 clusters are available: 2 cluster(s) did not have region property.");
  EXPECT_EQ(spread("zone"), "failed to select clusters: just support cluster and region spread constraint");
}

TEST_F(Plugins_Scheduler, cluster_locality_prefers_what_runs_it_already) {
  load("cluster_locality");
  load("group_selection");
  constexpr std::string_view kOne = R"({"replicas":1,"clusters":[{"name":"m2","replicas":1}],"placement":{
      "spreadConstraints":[{"spreadByField":"cluster","minGroups":1,"maxGroups":1}]}})";
  EXPECT_THAT(decided({cluster("m1"), cluster("m2")}, kOne), ElementsAre("m2"));
}

TEST_F(Plugins_Scheduler, the_example_stays_out_of_edge_regions) {
  load("hello_filter", examples());
  EXPECT_THAT(decided({cluster("m1", "edge-7"), cluster("m2", "eu")}, R"({"placement":{}})"),
              ElementsAre("m2"));
  EXPECT_THAT(decided({cluster("m1", "edge-7")}, R"({"placement":{}})"),
              ElementsAre("0/1 clusters are available: 1 cluster(s) are at the edge."));
}

// Room: m1 1, m2 8, m3 8. Without the example each gets its share of nine; with it the gold one is filled up.
TEST_F(Plugins_Scheduler, the_example_divides_in_its_own_way) {
  const std::vector<Json> fleet = {tiered("m1", "iron", "1"), tiered("m2", "iron", "8"),
                                   tiered("m3", "gold", "8")};
  constexpr std::string_view kDivided =
      R"({"replicas":9,"replicaRequirements":{"resourceRequest":{"cpu":"1"}},
      "placement":{"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted",
      "weightPreference":{"dynamicWeight":"AvailableReplicas"}}}})";
  load("general_estimator");
  load("replica_division");
  EXPECT_THAT(decided(fleet, kDivided), ElementsAre("m1", "m2", "m3"));
  load("hello_assign", examples());
  EXPECT_THAT(decided(fleet, kDivided), ElementsAre("m2", "m3"));
  constexpr std::string_view kOne = R"({"replicas":1,"placement":{"spreadConstraints":[
      {"spreadByField":"cluster","minGroups":1,"maxGroups":1}]}})";
  load("group_selection");
  EXPECT_THAT(decided(fleet, kOne), ElementsAre("m3"));
}

}  // namespace
}  // namespace flotilla::plugin
