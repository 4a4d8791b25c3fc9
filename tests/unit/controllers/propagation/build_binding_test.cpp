// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/build_binding.hpp"

#include <gtest/gtest.h>

#include "core/controllers/propagation/claim.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

Json template_of(int replicas) {
  Json object = *Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"nginx",
    "namespace":"default","uid":"u1","resourceVersion":"7"},"spec":{"template":{"spec":{"containers":[]}}}})");
  object.make({"spec", "replicas"}) = replicas;
  return object;
}

Json policy(std::string_view spec = R"({"placement":{},"schedulerName":"default-scheduler"})") {
  Json text = *Json::parse(R"({"metadata":{"name":"pp","namespace":"default",
    "labels":{"propagationpolicy.karmada.io/permanent-id":"id-1"}}})");
  text["spec"] = *Json::parse(spec);
  return text;
}

Result<Json> build(const Json& object, const Json& with) {
  const interpreter::NativeInterpreter native;
  return build_binding(object, with, native, [](const std::string& name) -> Result<std::int64_t> {
    if (name == "high") return 1000;
    return not_found("no " + name);
  });
}

TEST(Controllers_BuildBinding, names_owns_and_claims) {
  const Json binding = *build(template_of(3), policy());
  EXPECT_EQ(binding["kind"].as_string(), "ResourceBinding");
  EXPECT_EQ(binding.at({"metadata", "name"}).as_string(), "nginx-deployment");
  EXPECT_EQ(binding.at({"metadata", "ownerReferences"}).element(0)["uid"].as_string(), "u1");
  EXPECT_EQ(binding.at({"metadata", "finalizers"}).dump(), R"(["karmada.io/binding-controller"])");
  EXPECT_EQ(claim_on(binding), (Claim{"default", "pp", "id-1"}));
  EXPECT_EQ(binding.at({"spec", "replicas"}).as_int(), 3);
  EXPECT_EQ(binding.at({"spec", "resource", "resourceVersion"}).as_string(), "7");
}

TEST(Controllers_BuildBinding, a_cluster_scoped_template_gets_a_cluster_binding) {
  const Json role = *Json::parse(
      R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"system:a","uid":"u"}})");
  const Json with = *Json::parse(R"({"metadata":{"name":"cpp"},"spec":{"placement":{}}})");
  const Json binding = *build(role, with);
  EXPECT_EQ(binding["kind"].as_string(), "ClusterResourceBinding");
  EXPECT_EQ(binding.at({"metadata", "name"}).as_string(), "system.a-clusterrole");
  EXPECT_FALSE(binding["metadata"].contains("namespace"));
}

TEST(Controllers_BuildBinding, priority_comes_from_the_priority_class) {
  const auto with = [](std::string_view source, std::string_view name) {
    return policy(R"({"placement":{},"schedulePriority":{"priorityClassSource":")" + std::string(source) +
                  R"(","priorityClassName":")" + std::string(name) + R"("}})");
  };
  EXPECT_EQ(build(template_of(1), with("KubePriorityClass", "high"))
                ->at({"spec", "schedulePriority", "priority"})
                .as_int(),
            1000);
  EXPECT_EQ(build(template_of(1), with("KubePriorityClass", "missing")).error().message(), "no missing");
  EXPECT_EQ(build(template_of(1), with("PodPriorityClass", "high")).error().message(),
            "priority class source is PodPriorityClass, but PodPriorityClass is not supported yet");
}

TEST(Controllers_BuildBinding, an_update_leaves_the_schedulers_part_alone) {
  Json existing = *build(template_of(3), policy());
  existing.make({"metadata", "labels", "resourcebinding.karmada.io/permanent-id"}) = "b1";
  existing["spec"]["clusters"] = *Json::parse(R"([{"name":"member1","replicas":3}])");
  existing["spec"]["suspension"] = *Json::parse(R"({"scheduling":true,"dispatching":true})");
  const Json desired = *build(template_of(5), policy(R"({"placement":{"clusterAffinity":{}}})"));
  const Json updated = *update_binding(existing, desired);
  EXPECT_EQ(updated.at({"spec", "replicas"}).as_int(), 5);
  EXPECT_EQ(updated.at({"spec", "clusters"}).size(), 1u);
  EXPECT_EQ(updated.at({"spec", "suspension"}).dump(), R"({"scheduling":true})");
  EXPECT_FALSE(updated["spec"].contains("schedulerName"));
  EXPECT_EQ(updated.at({"metadata", "labels"}).size(), 2u);
}

TEST(Controllers_BuildBinding, an_update_that_changes_nothing_is_equal) {
  const Json existing = *build(template_of(3), policy());
  EXPECT_EQ(*update_binding(existing, existing), existing);
}

TEST(Controllers_BuildBinding, a_binding_of_an_earlier_template_has_to_go_first) {
  const Json existing = *build(template_of(3), policy());
  Json later = template_of(3);
  later.make({"metadata", "uid"}) = "u2";
  EXPECT_TRUE(update_binding(existing, *build(later, policy())).error().is(Code::Conflict));
}

TEST(Controllers_BuildBinding, a_policy_takes_the_claim_of_a_cluster_policy_off_the_binding) {
  Json existing = *build(template_of(3), policy());
  existing.make({"metadata", "labels", "clusterpropagationpolicy.karmada.io/permanent-id"}) = "old";
  existing.make({"metadata", "annotations", "clusterpropagationpolicy.karmada.io/name"}) = "old";
  EXPECT_FALSE(claim_by_cluster_policy_on(*update_binding(existing, *build(template_of(3), policy()))));
}

}  // namespace
}  // namespace flotilla::controllers
