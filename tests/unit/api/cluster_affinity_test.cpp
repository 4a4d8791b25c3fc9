// SPDX-License-Identifier: Apache-2.0
#include "core/api/cluster_affinity.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

bool matches(std::string_view affinity) {
  static const Json kCluster = *Json::parse(R"({
    "metadata": {"name": "member1", "labels": {"env": "prod"}},
    "spec": {"region": "dc1", "zones": ["dc1-a", "dc1-b"]}})");
  return ClusterAffinity(*Json::parse(affinity)).matches(kCluster);
}

TEST(Api_ClusterAffinity, nothing_demanded_matches_all) {
  EXPECT_TRUE(matches("{}"));
}

TEST(Api_ClusterAffinity, exclusion_beats_the_names) {
  EXPECT_TRUE(matches(R"({"clusterNames": ["member1"]})"));
  EXPECT_FALSE(matches(R"({"clusterNames": ["member2"]})"));
  EXPECT_FALSE(matches(R"({"clusterNames": ["member1"], "exclude": ["member1"]})"));
}

TEST(Api_ClusterAffinity, labels_and_fields_must_both_match) {
  EXPECT_TRUE(matches(R"({"labelSelector": {"matchLabels": {"env": "prod"}},
    "fieldSelector": {"matchExpressions": [{"key": "region", "operator": "In", "values": ["dc1"]}]}})"));
  EXPECT_FALSE(matches(R"({"labelSelector": {"matchLabels": {"env": "dev"}}})"));
}

TEST(Api_ClusterAffinity, an_unset_field_is_absent) {
  EXPECT_TRUE(matches(
      R"({"fieldSelector": {"matchExpressions": [{"key": "provider", "operator": "NotIn", "values": ["x"]}]}})"));
  EXPECT_FALSE(
      matches(R"({"fieldSelector": {"matchExpressions": [{"key": "provider", "operator": "Exists"}]}})"));
}

TEST(Api_ClusterAffinity, any_zone_may_match) {
  EXPECT_TRUE(matches(
      R"({"fieldSelector": {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["dc1-b"]}]}})"));
  EXPECT_FALSE(matches(
      R"({"fieldSelector": {"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["dc1-b"]}]}})"));
  EXPECT_FALSE(matches(
      R"({"fieldSelector": {"matchExpressions": [{"key": "zone", "operator": "Gt", "values": ["1"]}]}})"));
}

TEST(Api_ClusterAffinity, a_broken_selector_matches_nothing) {
  EXPECT_FALSE(matches(R"({"labelSelector": {"matchLabels": {"bad key!": "x"}}})"));
  EXPECT_FALSE(matches(R"({"fieldSelector": {"matchExpressions": [{"key": "region", "operator": "Odd"}]}})"));
}

}  // namespace
}  // namespace flotilla::api
