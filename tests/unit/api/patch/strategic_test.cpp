// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/api/patch/patch.hpp"
#include "core/api/schema/registry.hpp"

namespace flotilla::api {
namespace {

Json parse(std::string_view text) {
  return *Json::parse(text);
}

std::string merge(std::string_view live, std::string_view patch) {
  const Schema* spec = TypeSet::builtin().find("io.k8s.api.core.v1.PodSpec");
  auto merged = strategic_merge(parse(live), parse(patch), *spec);
  return merged ? merged->dump() : "error: " + merged.error().message();
}

constexpr std::string_view kTwo = R"({"containers":[{"image":"x","name":"a"},{"image":"y","name":"b"}]})";

TEST(Api_StrategicMerge, merges_list_elements_by_key) {
  EXPECT_EQ(merge(kTwo, R"({"containers":[{"name":"b","image":"z"}]})"),
            R"({"containers":[{"image":"x","name":"a"},{"image":"z","name":"b"}]})");
}

TEST(Api_StrategicMerge, deletes_and_replaces_by_directive) {
  EXPECT_EQ(merge(kTwo, R"({"containers":[{"name":"a","$patch":"delete"}]})"),
            R"({"containers":[{"image":"y","name":"b"}]})");
  EXPECT_EQ(merge(kTwo, R"({"containers":[{"$patch":"replace"},{"name":"n"}]})"),
            R"({"containers":[{"name":"n"}]})");
  EXPECT_EQ(merge(R"({"nodeSelector":{"a":"1"}})", R"({"nodeSelector":{"$patch":"replace","b":"2"}})"),
            R"({"nodeSelector":{"b":"2"}})");
}

TEST(Api_StrategicMerge, orders_elements_as_told) {
  EXPECT_EQ(merge(kTwo, R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]})"),
            R"({"containers":[{"image":"y","name":"b"},{"image":"x","name":"a"}]})");
}

TEST(Api_StrategicMerge, keeps_only_retained_keys) {
  EXPECT_EQ(merge(R"({"volumes":[{"name":"v","emptyDir":{}}]})",
                  R"({"volumes":[{"name":"v","$retainKeys":["name","hostPath"],"hostPath":{"path":"/x"}}]})"),
            R"({"volumes":[{"hostPath":{"path":"/x"},"name":"v"}]})");
  EXPECT_EQ(merge(R"({"volumes":[{"name":"v"}]})",
                  R"({"volumes":[{"name":"v","$retainKeys":["name"],"hostPath":{}}]})"),
            "error: invalid patch format of retainKeys");
}

TEST(Api_StrategicMerge, merges_and_deletes_primitives) {
  const Schema* meta = TypeSet::builtin().find("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  auto merged =
      strategic_merge(parse(R"({"finalizers":["a","b"]})"), parse(R"({"finalizers":["c"]})"), *meta);
  EXPECT_EQ(merged->dump(), R"({"finalizers":["c","a","b"]})");
  merged = strategic_merge(parse(R"({"finalizers":["a","b"]})"),
                           parse(R"({"$deleteFromPrimitiveList/finalizers":["a"]})"), *meta);
  EXPECT_EQ(merged->dump(), R"({"finalizers":["b"]})");
}

TEST(Api_StrategicMerge, refuses_an_element_without_its_key) {
  EXPECT_TRUE(merge(kTwo, R"({"containers":[{"image":"z"}]})").starts_with("error: map: "));
}

TEST(Api_JsonPatch, is_as_lenient_as_kubernetes) {
  const Json live = parse(R"({"data":{"k":"v"},"list":[1,2]})");
  EXPECT_EQ(json_patch(live, R"([{"op":"replace","path":"/data/new","value":"1"}])")->object["data"].dump(),
            R"({"k":"v","new":"1"})");
  EXPECT_EQ(json_patch(live, R"([{"op":"remove","path":"/list/-1"}])")->object["list"].dump(), "[1]");
  EXPECT_TRUE(json_patch(live, R"([{"op":"test","path":"/none","value":null}])").ok());
  EXPECT_EQ(json_patch(live, R"([{"op":"remove","path":"/none"}])").error().code(), Code::Invalid);
  EXPECT_EQ(json_patch(live, "[{").error().message(), "error decoding patch: unexpected end of JSON input");
}

}  // namespace
}  // namespace flotilla::api
