// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/admission/world.hpp"

namespace flotilla::api::test {
namespace {

Json policy(std::string_view spec, std::string_view id = "1") {
  Json value =
      of_kind("policy.karmada.io/v1alpha1", "PropagationPolicy", R"({"metadata": {"namespace": "home"}})");
  value.make({"metadata", "labels"}).set("propagationpolicy.karmada.io/permanent-id", id);
  value.set("spec", json(spec));
  return value;
}

Json override_policy(std::string_view overriders) {
  return of_kind("policy.karmada.io/v1alpha1", "ClusterOverridePolicy",
                 R"({"spec": {"overrideRules": [{"overriders": )" + std::string(overriders) + "}]}}");
}

TEST(Api_ReviewPropagation, keeps_identity_and_scheduler) {
  EXPECT_EQ(complaint(policy("{}")), "");
  EXPECT_NE(complaint(policy("{}", "")), "");
  EXPECT_NE(complaint(policy("{}", "2"), policy("{}", "1")), "");
  EXPECT_EQ(complaint(policy(R"({"schedulerName": "a"})"), policy(R"({"schedulerName": "b"})")),
            "the schedulerName should not be updated");
}

TEST(Api_ReviewPropagation, wants_one_way_to_name_clusters) {
  EXPECT_NE(complaint(policy(R"({"placement": {"clusterAffinity": {}, "clusterAffinities": []}})")), "");
  EXPECT_NE(complaint(policy(
                R"({"placement": {"clusterAffinities": [{"affinityName": "a"}, {"affinityName": "a"}]}})")),
            "");
  EXPECT_NE(complaint(policy(R"({"placement": {"clusterAffinities": [
      {"affinityName": "a", "clusterNames": ["x"], "overflowAffinities": [{"affinityName": "b"}]}]}})")),
            "");
}

TEST(Api_ReviewPropagation, wants_spread_by_cluster_wherever_it_spreads_by_a_field) {
  EXPECT_NE(complaint(policy(R"({"placement": {"spreadConstraints": [{"spreadByField": "region"}]}})")), "");
  EXPECT_EQ(
      complaint(policy(
          R"({"placement": {"spreadConstraints": [{"spreadByField": "region"}, {"spreadByField": "cluster"}]}})")),
      "");
  EXPECT_NE(
      complaint(policy(
          R"({"placement": {"spreadConstraints": [{"spreadByField": "cluster", "minGroups": 3, "maxGroups": 2}]}})")),
      "");
}

TEST(Api_ReviewPropagation, ties_failover_of_applications_to_their_dependencies) {
  EXPECT_NE(complaint(policy(R"({"failover": {"application": {"purgeMode": "Never"}}})")), "");
  EXPECT_EQ(
      complaint(policy(R"({"propagateDeps": true, "failover": {"application": {"purgeMode": "Never"}}})")),
      "");
  EXPECT_NE(complaint(policy(
                R"({"propagateDeps": true, "failover": {"application": {"purgeMode": "Gracefully"}}})")),
            "");
}

TEST(Api_ReviewPropagation, speaks_of_its_own_namespace_alone) {
  EXPECT_NE(complaint(policy(R"({"resourceSelectors": [{"namespace": "elsewhere"}]})")), "");
  EXPECT_EQ(complaint(policy(R"({"resourceSelectors": [{"namespace": "home"}]})")), "");
  EXPECT_NE(complaint(policy(R"({"preemption": "Always", "resourceSelectors": [{"namespace": "home"}]})")),
            "");
}

TEST(Api_ReviewOverrides, checks_pointers_labels_and_values) {
  EXPECT_EQ(complaint(override_policy(R"({"labelsOverrider": [{"operator": "add", "value": {"a": "b"}}]})")),
            "");
  EXPECT_NE(complaint(override_policy(R"({"labelsOverrider": [{"operator": "add", "value": {"a": "b!"}}]})")),
            "");
  EXPECT_NE(complaint(override_policy(R"({"annotationsOverrider": [{"value": {"bad key": "b"}}]})")), "");
  EXPECT_NE(complaint(override_policy(R"({"imageOverrider": [{"predicate": {"path": "spec"}}]})")), "");
  EXPECT_NE(complaint(override_policy(R"({"fieldOverrider": [{"fieldPath": "/a"}]})")), "");
  EXPECT_NE(
      complaint(override_policy(
          R"({"fieldOverrider": [{"fieldPath": "/a", "json": [{"operator": "add", "subPath": "/x"}]}]})")),
      "");
}

TEST(Api_ReviewOverrides, refuses_rules_beside_the_older_way) {
  EXPECT_NE(
      complaint(of_kind("policy.karmada.io/v1alpha1", "ClusterOverridePolicy",
                        R"({"spec": {"overrideRules": [], "targetCluster": {"clusterNames": ["a"]}}})")),
      "");
}

TEST(Api_ReviewTaintPolicy, evicts_only_where_it_was_allowed) {
  Json policy = of_kind("policy.karmada.io/v1alpha1", "ClusterTaintPolicy",
                        R"({"spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}})");
  EXPECT_NE(complaint(policy), "");
  EXPECT_EQ(complaint(policy, Json(), {}, {.allow_no_execute_taint_policy = true}), "");
}

}  // namespace
}  // namespace flotilla::api::test
