// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/dependencies/attach.hpp"

#include <gtest/gtest.h>

#include <map>

namespace flotilla::controllers {
namespace {

using api::Json;
using api::ObjectKey;

Json independent(const std::string& name, std::string_view spec) {
  Json binding = *Json::parse(R"({"kind":"ResourceBinding","metadata":{"namespace":"default","labels":{
    "resourcebinding.karmada.io/permanent-id":"id"}}})");
  binding["metadata"].set("name", name);
  binding["spec"] = *Json::parse(spec);
  return binding;
}

const Json& config_map() {
  static const Json kObject = *Json::parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{
    "name":"c","namespace":"default","uid":"u","resourceVersion":"5"}})");
  return kObject;
}

class Controllers_Attach : public testing::Test {
 protected:
  void put(const Json& binding) { world_[api::key_of(binding)] = binding; }
  FindBinding find() {
    return [this](const ObjectKey& key) -> const Json* {
      const auto found = world_.find(key);
      return found == world_.end() ? nullptr : &found->second;
    };
  }
  std::map<ObjectKey, Json> world_;
};

TEST_F(Controllers_Attach, an_attached_binding_has_no_placement_and_says_who_needs_it) {
  const Json binding = build_attached(
      independent("web-deployment",
                  R"({"clusters":[{"name":"m1","replicas":2}],"conflictResolution":"Overwrite"})"),
      config_map());
  EXPECT_EQ(binding["metadata"]["name"].as_string(), "c-configmap");
  EXPECT_EQ(binding["metadata"]["labels"].dump(),
            "{\"" + depended_by_label({"default", "web-deployment"}) + "\":\"id\"}");
  EXPECT_EQ(
      binding["spec"].dump(),
      R"({"conflictResolution":"Overwrite","requiredBy":[{"clusters":[{"name":"m1","replicas":2}],)"
      R"("name":"web-deployment","namespace":"default"}],"resource":{"apiVersion":"v1","kind":"ConfigMap",)"
      R"("name":"c","namespace":"default","resourceVersion":"5","uid":"u"}})");
}

TEST_F(Controllers_Attach, the_bolder_wish_and_the_more_careful_one_win_and_the_conflict_is_named) {
  const Json a = independent("a", R"({"clusters":[{"name":"m1"}]})");
  const Json b = independent(
      "b",
      R"({"clusters":[{"name":"m2"}],"conflictResolution":"Overwrite","preserveResourcesOnDeletion":true})");
  put(a);
  put(b);
  const auto both = attach(build_attached(a, config_map()), build_attached(b, config_map()), find());
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->binding["spec"]["requiredBy"].size(), 2u);
  EXPECT_EQ(both->binding["spec"]["conflictResolution"].as_string(), "Overwrite");
  EXPECT_TRUE(both->binding["spec"]["preserveResourcesOnDeletion"].as_bool());
  EXPECT_EQ(both->conflict,
            "ConflictResolution mismatch (Overwrite vs Abort); "
            "PreserveResourcesOnDeletion mismatch (true vs false)");
  const Attached one = detach(both->binding, {"default", "b"}, find());
  EXPECT_EQ(one.binding["spec"]["conflictResolution"].as_string(), "Abort");
  EXPECT_EQ(one.conflict, "");
  const Attached none = detach(one.binding, {"default", "a"}, find());
  EXPECT_FALSE(none.binding["spec"].contains("requiredBy"));
  EXPECT_FALSE(none.binding["spec"].contains("preserveResourcesOnDeletion"));
  EXPECT_FALSE(none.binding["metadata"].contains("labels"));
}

TEST_F(Controllers_Attach, a_binding_with_a_placement_keeps_what_its_policy_says) {
  Json own = build_attached(independent("x", "{}"), config_map());
  own["spec"] = *Json::parse(R"({"placement":{},"conflictResolution":"Abort","clusters":[{"name":"m9"}]})");
  const Json b = independent("b", R"({"conflictResolution":"Overwrite","clusters":[{"name":"m2"}]})");
  put(b);
  const auto attached = attach(own, build_attached(b, config_map()), find());
  EXPECT_EQ(attached->binding["spec"]["conflictResolution"].as_string(), "Abort");
  EXPECT_EQ(attached->binding["spec"]["requiredBy"].size(), 1u);
}

TEST_F(Controllers_Attach, a_binding_of_an_earlier_object_is_waited_for) {
  Json other = config_map();
  other["metadata"].set("uid", "later");
  const Json a = independent("a", "{}");
  EXPECT_TRUE(
      attach(build_attached(a, config_map()), build_attached(a, other), find()).error().is(Code::Conflict));
}

TEST_F(Controllers_Attach, the_text_of_dependencies_has_gos_order_and_reads_back) {
  const Json list = *Json::parse(R"([{"apiVersion":"v1","kind":"Secret","namespace":"default","name":"s"},
    {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","namespace":"default","labelSelector":
     {"matchExpressions":[{"key":"k","operator":"Exists"}],"matchLabels":{"a":"b"}}},
    {"apiVersion":"v1","kind":"Secret","namespace":"default","name":"s"}])");
  const auto dependencies = dependencies_of(list, "default");
  ASSERT_TRUE(dependencies.ok());
  const std::string text = dependencies_text(*dependencies);
  EXPECT_EQ(
      text,
      R"([{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","namespace":"default","labelSelector":)"
      R"({"matchLabels":{"a":"b"},"matchExpressions":[{"key":"k","operator":"Exists"}]}},)"
      R"({"apiVersion":"v1","kind":"Secret","namespace":"default","name":"s"}])");
  EXPECT_EQ(parse_dependencies(text), *dependencies);
  EXPECT_EQ(dependencies_text({}), "null");
}

TEST_F(Controllers_Attach, a_dependency_needs_a_name_or_labels_and_the_same_namespace) {
  EXPECT_FALSE(dependencies_of(*Json::parse(R"([{"apiVersion":"v1","kind":"Secret","namespace":"default"}])"),
                               "default")
                   .ok());
  EXPECT_FALSE(
      dependencies_of(*Json::parse(R"([{"apiVersion":"v1","kind":"Secret","namespace":"x","name":"s"}])"),
                      "default")
          .ok());
}

}  // namespace
}  // namespace flotilla::controllers
