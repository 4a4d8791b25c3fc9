// SPDX-License-Identifier: Apache-2.0
#include "core/api/quota_usage.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

std::string usage(std::string_view spec) {
  return quota_usage(*Json::parse(spec))->to_json().dump();
}

TEST(Quota_Usage, is_the_request_times_the_replicas_on_all_clusters) {
  EXPECT_EQ(usage(R"({"clusters": [{"name": "a", "replicas": 2}, {"name": "b", "replicas": 1}],
                      "replicaRequirements": {"resourceRequest": {"cpu": "500m"}}})"),
            R"({"cpu":"1500m"})");
}

TEST(Quota_Usage, of_components_is_one_set_on_each_cluster) {
  EXPECT_EQ(usage(R"({"clusters": [{"name": "a"}, {"name": "b"}], "components": [
                        {"name": "x", "replicas": 2, "replicaRequirements": {"resourceRequest": {"cpu": "1"}}},
                        {"name": "y", "replicas": 1, "replicaRequirements": {"resourceRequest": {"cpu": "1", "memory": "1Gi"}}}]})"),
            R"({"cpu":"6","memory":"2Gi"})");
}

TEST(Quota_Usage, is_nothing_where_nothing_is_placed) {
  EXPECT_EQ(usage(R"({"replicaRequirements": {"resourceRequest": {"cpu": "1"}}})"), "{}");
}

}  // namespace
}  // namespace flotilla::api
