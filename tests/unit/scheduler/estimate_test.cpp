// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/estimate.hpp"

#include <gtest/gtest.h>

#include "core/scheduler/policy.hpp"
#include "core/scheduler/resolve.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

std::int32_t room_for(const Json& cluster, const Json& spec, const ResolveOptions& options = {}) {
  static fakes::InTreePolicies policies;
  ClusterTablePtr table = table_of({cluster});
  EXPECT_TRUE((*policies).observe(*table).ok());
  const Binding binding = parse_binding(spec, Json());
  Resolver resolver;
  const Workload& workload = resolver.resolve(*table, binding, options);
  std::vector<std::int32_t> room;
  std::vector<std::int64_t> scratch;
  estimate_room(workload, *policies, RowSet(1, true).words(), room, scratch, nullptr);
  return room[0];
}

std::int32_t estimated(const Json& cluster, std::string_view requirements) {
  Json spec = Json::object();
  spec["replicas"] = INT32_MAX;
  Json read = parsed(requirements);
  if (read.is_object()) spec["replicaRequirements"] = read;
  return room_for(cluster, spec);
}

Json summary(std::string_view text) {
  Json made = cluster("m1");
  made.make({"status", "resourceSummary"}) = parsed(text);
  return made;
}

TEST(Scheduler_Estimate, divides_what_is_free_by_the_request) {
  Json made = summary(
      R"({"allocatable":{"cpu":"4","memory":"8Gi","pods":"110"},"allocated":{"cpu":"1","memory":"2Gi"}})");
  EXPECT_EQ(estimated(made, R"({"resourceRequest":{"cpu":"500m","memory":"1Gi"}})"), 6);
  EXPECT_EQ(estimated(made, R"({"resourceRequest":{"gpu":"1"}})"), 0);
  EXPECT_EQ(estimated(made, R"({"resourceRequest":{"gpu":"0"}})"), 110);
  EXPECT_EQ(estimated(made, "{}"), 110);
  EXPECT_EQ(estimated(made, "null"), 110);
}

TEST(Scheduler_Estimate, is_exact_for_any_division) {
  for (std::int64_t available : {1L, 2L, 6L, 999L, 1000L, 1001L, 9007199254740993L}) {
    for (std::int64_t request : {1L, 3L, 7L, 333L, 1000L, 9007199254740992L}) {
      Json made = summary(R"({"allocatable":{"pods":"2147483647"}})");
      made.make({"status", "resourceSummary", "allocatable", "x"}) = std::to_string(available);
      Json requirements = Json::object();
      requirements.make({"resourceRequest", "x"}) = std::to_string(request);
      std::int64_t expected = std::min<std::int64_t>(available / request, INT32_MAX);
      EXPECT_EQ(estimated(made, requirements.dump()), expected) << available << " / " << request;
    }
  }
}

TEST(Scheduler_Estimate, packs_replicas_on_the_nodes_of_a_model) {
  Json made = summary(R"({"allocatable":{"cpu":"6","pods":"110"},
      "allocatableModelings":[{"grade":0,"count":1},{"grade":1,"count":1},{"grade":2,"count":1}]})");
  made.make({"spec", "resourceModels"}) =
      parsed(R"([{"grade":0,"ranges":[{"name":"cpu","min":"0","max":"1"}]},
      {"grade":1,"ranges":[{"name":"cpu","min":"1","max":"2"}]},{"grade":2,"ranges":[{"name":"cpu","min":"2","max":"4"}]}])");
  EXPECT_EQ(estimated(made, R"({"resourceRequest":{"cpu":"1500m"}})"), 1);
  EXPECT_EQ(estimated(made, R"({"resourceRequest":{"cpu":"3"}})"), 0);
  EXPECT_EQ(estimated(made, R"({"resourceRequest":{"cpu":"500m"}})"), 6);
}

TEST(Scheduler_Estimate, is_nothing_for_a_cluster_that_says_nothing) {
  Json made = cluster("m1");
  made["status"].erase("resourceSummary");
  EXPECT_EQ(estimated(made, "null"), 0);
}

TEST(Scheduler_Estimate, counts_whole_sets_of_components) {
  const Json spec = parsed(R"({"components":[
      {"name":"a","replicas":1,"replicaRequirements":{"resourceRequest":{"cpu":"2"}}},
      {"name":"b","replicas":2,"replicaRequirements":{"resourceRequest":{"cpu":"1"}}}],
      "placement":{"spreadConstraints":[{"spreadByField":"cluster","minGroups":1,"maxGroups":1}]}})");
  EXPECT_EQ(room_for(cluster("m1", "", "10"), spec, {.multiple_pod_templates = true}), 2);
}

// Ten sets by what is free in all, one by the nodes there are.
TEST(Scheduler_Estimate, packs_whole_sets_on_the_nodes_of_a_model) {
  Json made = summary(R"({"allocatable":{"cpu":"40","pods":"110"},
      "allocatableModelings":[{"grade":0,"count":1},{"grade":1,"count":2},{"grade":2,"count":0}]})");
  made.make({"spec", "resourceModels"}) =
      parsed(R"([{"grade":0,"ranges":[{"name":"cpu","min":"0","max":"2"}]},
      {"grade":1,"ranges":[{"name":"cpu","min":"2","max":"4"}]},{"grade":2,"ranges":[{"name":"cpu","min":"4","max":"8"}]}])");
  const Json spec = parsed(R"({"components":[
      {"name":"a","replicas":1,"replicaRequirements":{"resourceRequest":{"cpu":"2"}}},
      {"name":"b","replicas":2,"replicaRequirements":{"resourceRequest":{"cpu":"1"}}}],
      "placement":{"spreadConstraints":[{"spreadByField":"cluster","minGroups":1,"maxGroups":1}]}})");
  EXPECT_EQ(room_for(made, spec, {.multiple_pod_templates = true}), 1);
}

}  // namespace
}  // namespace flotilla::scheduler
