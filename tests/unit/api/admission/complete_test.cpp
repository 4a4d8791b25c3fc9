// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/admission/world.hpp"

namespace flotilla::api::test {
namespace {

Json policy(std::string_view spec) {
  return of_kind("policy.karmada.io/v1alpha1", "PropagationPolicy", R"({"spec": )" + std::string(spec) + "}");
}

TEST(Api_CompletePolicy, gives_a_new_policy_its_identity_and_finalizer) {
  Json created = completed(policy("{}"));
  EXPECT_EQ(created["metadata"], json(R"({"labels": {"propagationpolicy.karmada.io/permanent-id": "id-1"},
                                          "finalizers": ["karmada.io/propagation-policy-controller"]})"));
  EXPECT_FALSE(completed(policy("{}"), AdmissionVerb::Update).contains("metadata"));
}

TEST(Api_CompletePolicy, fills_in_what_placement_leaves_open) {
  Json spec = completed(
      policy(
          R"({"placement": {"spreadConstraints": [{"maxGroups": 2}, {"spreadByField": "region", "minGroups": 3}],
      "replicaScheduling": {"replicaSchedulingType": "Divided"}},
      "failover": {"application": {"purgeMode": "Gracefully"}},
      "resourceSelectors": [{"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceImport"}]})"),
      AdmissionVerb::Update)["spec"];
  EXPECT_EQ(spec["placement"], json(R"({"spreadConstraints": [
      {"maxGroups": 2, "minGroups": 1, "spreadByField": "cluster"}, {"spreadByField": "region", "minGroups": 3}],
      "replicaScheduling": {"replicaSchedulingType": "Divided", "replicaDivisionPreference": "Weighted"}})"));
  EXPECT_EQ(spec["failover"]["application"]["gracePeriodSeconds"].as_int(), 600);
  EXPECT_TRUE(spec["propagateDeps"].as_bool());
}

TEST(Api_CompleteBinding, keeps_the_id_it_has) {
  auto id = [](std::string_view metadata) {
    Json binding = of_kind("work.karmada.io/v1alpha2", "ResourceBinding",
                           R"({"metadata": )" + std::string(metadata) + "}");
    return std::string(
        completed(binding).at({"metadata", "labels", "resourcebinding.karmada.io/permanent-id"}).as_string());
  };
  EXPECT_EQ(id("{}"), "id-1");
  EXPECT_EQ(id(R"({"labels": {"resourcebinding.karmada.io/permanent-id": "mine"}})"), "mine");
}

TEST(Api_CompleteWork, prunes_its_manifests_and_marks_them) {
  Json work = completed(of_kind("work.karmada.io/v1alpha1", "Work", R"({"spec": {"workload": {"manifests": [
      {"kind": "Foo", "metadata": {"name": "a", "uid": "1"}, "status": {}}]}}})"));
  const Json& manifest = *work.find_pointer("/spec/workload/manifests/0");
  EXPECT_EQ(manifest["metadata"]["labels"], json(R"({"work.karmada.io/permanent-id": "id-1"})"));
  EXPECT_FALSE(manifest.contains("status"));
  EXPECT_FALSE(manifest["metadata"].contains("uid"));
}

TEST(Api_CompleteAutoscaler, takes_the_defaults_of_kubernetes) {
  Json spec = completed(of_kind("autoscaling.karmada.io/v1alpha1", "FederatedHPA",
                                R"({"spec": {"behavior": {"scaleDown": {"selectPolicy": "Min"}}}})"))["spec"];
  EXPECT_EQ(spec["minReplicas"].as_int(), 1);
  EXPECT_EQ(spec["metrics"].size(), 1u);
  EXPECT_EQ(spec["behavior"]["scaleUp"]["policies"].size(), 2u);
  EXPECT_EQ(spec["behavior"]["scaleDown"]["selectPolicy"].as_string(), "Min");
}

}  // namespace
}  // namespace flotilla::api::test
