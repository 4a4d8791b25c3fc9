// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/estimate.hpp"

#include <gtest/gtest.h>

#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

std::int32_t estimated(const Json& cluster, std::string_view requirements) {
  ClusterTablePtr table = table_of({cluster});
  Json read = parsed(requirements);
  ResolvedRequests requests;
  resolve_requests(*table, parse_requests(read), read.is_object(), requests);
  RowSet rows(1, true);
  std::int32_t replicas = -1;
  estimate_replicas(*table, requests, rows.words(), std::span(&replicas, 1));
  return replicas;
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
  ClusterTablePtr table = table_of({cluster("m1", "", "10")});
  std::vector<Component> components = {
      {"a", 1, parse_requests(parsed(R"({"resourceRequest":{"cpu":"2"}})"))},
      {"b", 2, parse_requests(parsed(R"({"resourceRequest":{"cpu":"1"}})"))}};
  RowSet rows(1, true);
  std::int32_t sets = -1;
  estimate_component_sets(*table, components, rows.words(), std::span(&sets, 1));
  EXPECT_EQ(sets, 2);
}

}  // namespace
}  // namespace flotilla::scheduler
