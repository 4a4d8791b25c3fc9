// SPDX-License-Identifier: Apache-2.0
#include "core/api/defaulting/defaulting.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

Json parse(std::string_view text) {
  return *Json::parse(text);
}

Json defaulted(std::string_view type, std::string_view text) {
  Json object = parse(text);
  set_defaults(*TypeSet::builtin().find(type), object);
  return object;
}

TEST(Api_Defaulting, fills_a_pod_template) {
  const Json spec =
      defaulted("io.k8s.api.core.v1.PodSpec",
                R"({"containers":[{"name":"c","image":"nginx:1.25","ports":[{"containerPort":80}]}]})");
  EXPECT_EQ(spec["restartPolicy"].as_string(), "Always");
  EXPECT_EQ(spec["containers"].element(0)["imagePullPolicy"].as_string(), "IfNotPresent");
  EXPECT_EQ(spec["containers"].element(0)["ports"].element(0)["protocol"].as_string(), "TCP");
  EXPECT_EQ(spec["terminationGracePeriodSeconds"].as_int(), 30);
}

TEST(Api_Defaulting, is_idempotent) {
  const Json once = defaulted("io.k8s.api.apps.v1.Deployment",
                              R"({"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}})");
  EXPECT_EQ(defaulted("io.k8s.api.apps.v1.Deployment", once.dump()), once);
}

TEST(Api_Defaulting, leaves_what_is_said) {
  const Json spec =
      defaulted("io.k8s.api.apps.v1.DeploymentSpec", R"({"replicas":0,"strategy":{"type":"Recreate"}})");
  EXPECT_EQ(spec["replicas"].as_int(-1), 0);
  EXPECT_EQ(spec["strategy"].dump(), R"({"type":"Recreate"})");
}

TEST(Api_Defaulting, gives_volumes_without_a_source_an_empty_one) {
  EXPECT_EQ(defaulted("io.k8s.api.core.v1.Volume", R"({"name":"v","hostPath":null})")["emptyDir"].dump(),
            "{}");
  EXPECT_FALSE(defaulted("io.k8s.api.core.v1.Volume", R"({"name":"v","secret":{}})").contains("emptyDir"));
}

TEST(Api_Defaulting, rounds_amounts_to_thousandths) {
  const Json limits = defaulted("io.k8s.api.core.v1.ResourceRequirements",
                                R"({"limits":{"cpu":"100u","memory":"1Gi","x/y":"16Ei"}})")["limits"];
  EXPECT_EQ(limits["cpu"].as_string(), "1m");
  EXPECT_EQ(limits["memory"].as_string(), "1Gi");
  EXPECT_EQ(limits["x/y"].as_string(), "16Ei");
}

TEST(Api_Defaulting, starts_rolling_updates_only_of_unsaid_strategies) {
  constexpr std::string_view kType = "io.k8s.api.apps.v1.StatefulSetUpdateStrategy";
  EXPECT_EQ(defaulted(kType, "{}").dump(), R"({"rollingUpdate":{"partition":0},"type":"RollingUpdate"})");
  EXPECT_EQ(defaulted(kType, R"({"type":"RollingUpdate"})").dump(), R"({"type":"RollingUpdate"})");
}

TEST(Api_Defaulting, fills_custom_resources_by_schema) {
  auto schema = read_custom_schema(
      parse(R"({"type":"object","properties":{"spec":{"type":"object","default":{},"properties":{
      "n":{"type":"integer","default":3},"s":{"type":"string","nullable":true,"default":"x"}}}}})"));
  ASSERT_TRUE(schema);
  Json object = parse(R"({"spec":{"n":null,"s":null}})");
  set_custom_defaults(*schema->root, object);
  EXPECT_EQ(object.dump(), R"({"spec":{"n":3,"s":null}})");
  object = Json::object();
  set_custom_defaults(*schema->root, object);
  EXPECT_EQ(object.dump(), R"({"spec":{"n":3,"s":"x"}})");
}

}  // namespace
}  // namespace flotilla::api
