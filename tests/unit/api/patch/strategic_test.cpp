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

TEST(Api_StrategicMerge, takes_whole_numbers_for_the_same_however_they_are_written) {
  EXPECT_EQ(merge(R"({"containers":[{"name":"a","ports":[{"containerPort":80,"name":"x"}]}]})",
                  R"({"containers":[{"name":"a","ports":[{"containerPort":80.0,"hostIP":"::"}]}]})"),
            R"({"containers":[{"name":"a","ports":[{"containerPort":80.0,"hostIP":"::","name":"x"}]}]})");
}

// A hundred thousand elements fit into a request. Looking for each in all of them would take minutes.
TEST(Api_StrategicMerge, merges_long_lists) {
  constexpr int kMany = 40'000;
  Json live = Json::object(), patch = Json::object();
  for (int i = 0; i < kMany; ++i) {
    const std::string name = "c" + std::to_string(i);
    live["containers"].push_back(Json::object({{"name", name}}));
    patch["$setElementOrder/containers"].push_back(
        Json::object({{"name", "c" + std::to_string(kMany - 1 - i)}}));
    if (i % 4 == 1) patch["tolerations"].push_back(Json::object({{"key", name}}));
    if (i % 4 == 2) patch["volumes"].push_back(Json::object({{"name", name}, {"$patch", "delete"}}));
    live["volumes"].push_back(Json::object({{"name", name}}));
  }
  for (int i = kMany - 1; i >= 0; i -= 2) {
    Json change = Json::object({{"image", "x"}, {"name", "c" + std::to_string(i)}});
    patch["containers"].push_back(std::move(change));
  }
  const Schema* spec = TypeSet::builtin().find("io.k8s.api.core.v1.PodSpec");
  const auto merged = strategic_merge(live, patch, *spec);
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  const Json& containers = (*merged)["containers"];
  ASSERT_EQ(containers.size(), kMany);
  EXPECT_EQ(containers.elements()[0].dump(), R"({"image":"x","name":"c39999"})");
  EXPECT_EQ(containers.elements()[1].dump(), R"({"name":"c39998"})");
  EXPECT_EQ((*merged)["volumes"].size(), kMany * 3 / 4);
}

}  // namespace
}  // namespace flotilla::api
