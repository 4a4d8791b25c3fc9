// SPDX-License-Identifier: Apache-2.0
#include "core/api/schema/decode.hpp"

#include <gtest/gtest.h>

#include "core/api/schema/registry.hpp"

namespace flotilla::api {
namespace {

Json parse(std::string_view text) {
  return *Json::parse(text);
}

Result<Decoded> decoded(std::string_view type, std::string_view text) {
  return decode(*TypeSet::builtin().find(type), parse(text), {});
}

TEST(Api_Decode, reports_and_drops_unknown_fields) {
  auto result =
      decoded("io.k8s.api.core.v1.ConfigMap", R"({"metadata":{"name":"a","nolabel":1},"nofield":1})");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->problems,
            (std::vector<std::string>{"unknown field \"metadata.nolabel\"", "unknown field \"nofield\""}));
  EXPECT_EQ(strict_decoding_error(result->problems),
            "strict decoding error: unknown field \"metadata.nolabel\", unknown field \"nofield\"");
  EXPECT_EQ(result->object.dump(), R"({"metadata":{"creationTimestamp":null,"name":"a"}})");
}

TEST(Api_Decode, refuses_wrong_types_in_gos_words) {
  EXPECT_EQ(
      decoded("io.k8s.api.apps.v1.Deployment", R"({"spec":{"replicas":1.5}})").error().message(),
      "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32");
  EXPECT_EQ(
      decoded("io.k8s.api.core.v1.Pod", R"({"spec":{"containers":{}}})").error().message(),
      "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container");
  EXPECT_EQ(decoded("io.k8s.api.core.v1.Secret", R"({"data":{"k":"!!"}})").error().message(),
            "illegal base64 data at input byte 0");
}

TEST(Api_Decode, writes_what_go_writes) {
  auto result =
      decoded("io.k8s.api.core.v1.Container",
              R"({"name":"c","command":[],"tty":false,"resources":{"limits":{"cpu":"1000m"}},"image":null})");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->object.dump(), R"({"name":"c","resources":{"limits":{"cpu":"1"}}})");
  result = decoded("io.k8s.api.apps.v1.DeploymentSpec",
                   R"({"replicas":0,"paused":false,"selector":{},"template":{}})");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->object["replicas"].dump(), "0");
  EXPECT_FALSE(result->object.contains("paused"));
  EXPECT_EQ(result->object["strategy"].dump(), "{}");
}

TEST(Api_Decode, prunes_custom_resources) {
  auto schema =
      read_custom_schema(parse(R"({"type":"object","properties":{"spec":{"type":"object","properties":{
      "a":{"type":"string"},"free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}})"));
  ASSERT_TRUE(schema);
  auto result =
      decode(*schema->root,
             parse(R"({"metadata":{"name":"x","bogus":1},"spec":{"a":1,"b":2,"free":{"c":3}},"top":1})"),
             {.typed = false});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->object.dump(), R"({"metadata":{"name":"x"},"spec":{"a":1,"free":{"c":3}}})");
  EXPECT_EQ(result->problems.size(), 3u);
}

TEST(Api_Decode, drops_nulls_that_a_custom_resource_may_not_have) {
  auto schema = read_custom_schema(parse(R"({"type":"object","properties":{"spec":{"type":"object"},
      "free":{"type":"string","nullable":true}}})"));
  ASSERT_TRUE(schema);
  auto result = decode(*schema->root, parse(R"({"spec":null,"free":null})"), {.typed = false});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->object.dump(), R"({"free":null})");
}

}  // namespace
}  // namespace flotilla::api
