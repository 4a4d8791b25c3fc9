// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/affinity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/cluster_affinity.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<api::Json> fleet() {
  std::vector<api::Json> clusters = {cluster("m1", "eu"), cluster("m2", "us"), cluster("m3")};
  clusters[0].make({"metadata", "labels"}) = parsed(R"({"env":"prod","rank":"7"})");
  clusters[1].make({"metadata", "labels"}) = parsed(R"({"env":"dev"})");
  clusters[0].make({"spec", "zones"}) = parsed(R"(["a","b"])");
  clusters[1].make({"spec", "zones"}) = parsed(R"(["c"])");
  return clusters;
}

// Answers over the table, which must be those for each cluster alone.
std::vector<std::string> matched(std::string_view affinity) {
  std::vector<api::Json> clusters = fleet();
  ClusterTablePtr table = table_of(clusters);
  RowSet rows = matching_rows(*table, parse_affinity(parsed(affinity)));
  for (Row row = 0; row < clusters.size(); ++row) {
    EXPECT_EQ(rows.has(row), api::ClusterAffinity(parsed(affinity)).matches(clusters[row])) << affinity;
  }
  return names_of(*table, rows);
}

TEST(Scheduler_Affinity, matches_everything_when_it_asks_for_nothing) {
  EXPECT_THAT(matched("{}"), ElementsAre("m1", "m2", "m3"));
  EXPECT_THAT(matched(R"({"fieldSelector":{},"labelSelector":{}})"), ElementsAre("m1", "m2", "m3"));
}

TEST(Scheduler_Affinity, takes_names_less_the_excluded) {
  EXPECT_THAT(matched(R"({"clusterNames":["m3","m1","gone"]})"), ElementsAre("m1", "m3"));
  EXPECT_THAT(matched(R"({"clusterNames":["m3","m1"],"exclude":["m1"]})"), ElementsAre("m3"));
  EXPECT_THAT(matched(R"({"exclude":["m1"]})"), ElementsAre("m2", "m3"));
}

TEST(Scheduler_Affinity, selects_by_label) {
  EXPECT_THAT(matched(R"({"labelSelector":{"matchLabels":{"env":"prod"}}})"), ElementsAre("m1"));
  EXPECT_THAT(
      matched(
          R"({"labelSelector":{"matchExpressions":[{"key":"env","operator":"NotIn","values":["dev"]}]}})"),
      ElementsAre("m1", "m3"));
  EXPECT_THAT(matched(R"({"labelSelector":{"matchExpressions":[{"key":"env","operator":"Exists"}]}})"),
              ElementsAre("m1", "m2"));
}

TEST(Scheduler_Affinity, matches_nothing_with_a_selector_that_is_refused) {
  EXPECT_THAT(matched(R"({"labelSelector":{"matchExpressions":[{"key":"env","operator":"In"}]}})"),
              IsEmpty());
  EXPECT_THAT(matched(R"({"labelSelector":{"matchLabels":{"bad key":"x"}}})"), IsEmpty());
  EXPECT_THAT(
      matched(R"({"fieldSelector":{"matchExpressions":[{"key":"zone","operator":"Gt","values":["1"]}]}})"),
      IsEmpty());
}

TEST(Scheduler_Affinity, selects_by_field_and_by_any_of_the_zones) {
  EXPECT_THAT(
      matched(R"({"fieldSelector":{"matchExpressions":[{"key":"region","operator":"In","values":["eu"]}]}})"),
      ElementsAre("m1"));
  EXPECT_THAT(
      matched(
          R"({"fieldSelector":{"matchExpressions":[{"key":"region","operator":"NotIn","values":["eu"]}]}})"),
      ElementsAre("m2", "m3"));
  EXPECT_THAT(
      matched(
          R"({"fieldSelector":{"matchExpressions":[{"key":"zone","operator":"In","values":["b","c"]}]}})"),
      ElementsAre("m1", "m2"));
  EXPECT_THAT(matched(R"({"fieldSelector":{"matchExpressions":[{"key":"zone","operator":"DoesNotExist"}]}})"),
              ElementsAre("m3"));
}

}  // namespace
}  // namespace flotilla::scheduler
