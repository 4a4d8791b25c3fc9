// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/quota/quota_plan.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;

Json json(std::string_view text) {
  return *Json::parse(text);
}

Json quota() {
  return json(R"({"apiVersion": "policy.karmada.io/v1alpha1", "kind": "FederatedResourceQuota",
    "metadata": {"name": "team", "namespace": "shop"},
    "spec": {"overall": {"cpu": "10", "memory": "8Gi"},
      "staticAssignments": [{"clusterName": "m1", "hard": {"cpu": "4"}}, {"clusterName": "gone", "hard": {"cpu": "1"}}]}})");
}

Json work(std::string_view cluster, std::string_view applied, std::string_view used) {
  return json(R"({"metadata": {"namespace": "karmada-es-)" + std::string(cluster) + R"(", "name": "w"},
    "status": {"conditions": [{"type": "Applied", "status": ")" +
              std::string(applied) + R"("}],
      "manifestStatuses": [{"status": {"hard": {"cpu": "4"}, "used": {"cpu": ")" +
              std::string(used) + R"("}}}]}})");
}

TEST(Quota_Works, one_for_each_assigned_cluster_that_exists) {
  const auto works = quota_works(quota(), [](std::string_view cluster) { return cluster == "m1"; });
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]["metadata"]["namespace"].as_string(), "karmada-es-m1");
  EXPECT_EQ(
      works[0]["metadata"]["labels"],
      json(
          R"({"federatedresourcequota.karmada.io/namespace": "shop", "federatedresourcequota.karmada.io/name": "team"})"));
  const Json& manifest = works[0]["spec"]["workload"]["manifests"].element(0);
  EXPECT_EQ(manifest["kind"].as_string(), "ResourceQuota");
  EXPECT_EQ(manifest["metadata"]["namespace"].as_string(), "shop");
  EXPECT_EQ(manifest["metadata"]["labels"]["karmada.io/managed"].as_string(), "true");
  EXPECT_EQ(manifest["spec"]["hard"], json(R"({"cpu": "4"})"));
}

TEST(Quota_Status, sums_up_what_applied_works_report) {
  const std::vector<Json> works = {work("m2", "True", "1500m"), work("m1", "True", "1"),
                                   work("m3", "False", "9")};
  const auto status = quota_status_of_clusters(quota(), works, false);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(*status, json(R"({"overall": {"cpu": "10", "memory": "8Gi"}, "overallUsed": {"cpu": "2500m"},
    "aggregatedStatus": [{"clusterName": "m1", "hard": {"cpu": "4"}, "used": {"cpu": "1"}},
                         {"clusterName": "m2", "hard": {"cpu": "4"}, "used": {"cpu": "1500m"}}]})"));
}

TEST(Quota_Status, leaves_the_sum_to_enforcement) {
  Json known = quota();
  known.set("status", json(R"({"overallUsed": {"cpu": "7"}})"));
  const auto status = quota_status_of_clusters(known, {work("m1", "True", "1")}, true);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ((*status)["overallUsed"], json(R"({"cpu": "7"})"));
  EXPECT_TRUE((*status)["overall"].is_null());
}

TEST(Quota_Status, counts_bindings_in_what_overall_limits) {
  const Json divided =
      json(R"({"spec": {"replicaRequirements": {"resourceRequest": {"cpu": "500m", "gpu": "1"}},
    "clusters": [{"name": "m1", "replicas": 2}, {"name": "m2", "replicas": 3}]}})");
  const Json components = json(R"({"spec": {"clusters": [{"name": "m1"}], "components": [
    {"replicas": 2, "replicaRequirements": {"resourceRequest": {"memory": "1Gi"}}}]}})");
  const auto status = quota_status_of_bindings(quota(), {divided, components});
  ASSERT_TRUE(status.ok());
  EXPECT_EQ((*status)["overallUsed"], json(R"({"cpu": "2500m", "memory": "2Gi"})"));
  EXPECT_EQ((*status)["overall"], quota()["spec"]["overall"]);
}

}  // namespace
}  // namespace flotilla::controllers
