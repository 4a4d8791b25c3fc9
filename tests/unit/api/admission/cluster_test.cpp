// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/admission/world.hpp"

namespace flotilla::api::test {
namespace {

Json cluster(std::string_view spec, std::string_view name = "member1") {
  Json value = of_kind("cluster.karmada.io/v1alpha1", "Cluster", R"({"metadata": {"generation": 3}})");
  value["metadata"].set("name", name);
  value.set("spec", json(spec));
  return value;
}

TEST(Api_CompleteCluster, measures_a_new_cluster_by_nine_grades) {
  Json created = completed(cluster(R"({"syncMode": "Push"})"));
  EXPECT_EQ(created["metadata"]["generation"].as_int(), 1);
  ASSERT_EQ(created["spec"]["resourceModels"].size(), 9u);
  EXPECT_EQ(created["spec"]["resourceModels"].element(8)["ranges"].element(0)["max"].as_string(),
            "9223372036854775807");
}

TEST(Api_CompleteCluster, counts_generations_by_changes_of_the_spec) {
  Json old = cluster(R"({"syncMode": "Push"})");
  old.set("status", json(R"({"kubernetesVersion": "v1.29"})"));
  Json changed = completed(cluster(R"({"syncMode": "Pull"})"), AdmissionVerb::Update, old);
  Json same = completed(cluster(R"({"syncMode": "Push"})"), AdmissionVerb::Update, old);
  EXPECT_EQ(changed["metadata"]["generation"].as_int(), 4);
  EXPECT_EQ(same["metadata"]["generation"].as_int(), 3);
  EXPECT_EQ(same["status"], old["status"]);
}

TEST(Api_CompleteCluster, stamps_taints_that_evict_and_turns_the_zone_into_zones) {
  Json spec = completed(cluster(
      R"({"zone": "z", "taints": [{"key": "a", "effect": "NoExecute"}, {"key": "a", "effect": "NoSchedule"}]})"))
      ["spec"];
  EXPECT_EQ(spec["taints"].element(0)["timeAdded"].as_string(), "2026-05-01T12:00:00Z");
  EXPECT_FALSE(spec["taints"].element(1).contains("timeAdded"));
  EXPECT_EQ(spec["zones"], json(R"(["z"])"));
  EXPECT_FALSE(spec.contains("zone"));
}

TEST(Api_ReviewCluster, refuses_what_cannot_be_a_cluster) {
  EXPECT_EQ(complaint(cluster(R"({"syncMode": "Push", "apiEndpoint": "https://10.0.0.1:6443"})")), "");
  EXPECT_NE(complaint(cluster(R"({"syncMode": "Push"})", "a.b")), "");
  EXPECT_NE(complaint(cluster(R"({"syncMode": "Bogus"})")), "");
  EXPECT_NE(complaint(cluster(R"({"syncMode": "Push", "apiEndpoint": "https://u:p@h"})")), "");
  EXPECT_NE(complaint(cluster(R"({"syncMode": "Push", "proxyURL": "ftp://h"})")), "");
  EXPECT_NE(complaint(cluster(R"({"syncMode": "Push", "secretRef": {"name": "s"}})")), "");
  EXPECT_NE(
      complaint(cluster(
          R"({"syncMode": "Push", "taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule"}]})")),
      "");
}

TEST(Api_ReviewCluster, wants_models_without_gaps) {
  auto models = [](std::string_view bound) {
    return R"({"syncMode": "Push", "resourceModels": [{"grade": 0, "ranges": [{"name": "cpu", "min": "0", "max": "1"}]},
               {"grade": 1, "ranges": [{"name": "cpu", "min": ")" +
           std::string(bound) + R"(", "max": "4"}]}]})";
  };
  EXPECT_EQ(complaint(cluster(models("1"))), "");
  EXPECT_NE(complaint(cluster(models("2"))), "");
}

}  // namespace
}  // namespace flotilla::api::test
