// SPDX-License-Identifier: Apache-2.0
#include "core/api/write/write.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

Json parse(std::string_view text) {
  return *Json::parse(text);
}

WriteOptions options(std::string name = "") {
  WriteOptions made;
  made.ns = "n";
  made.name = std::move(name);
  made.manager = "test";
  made.now = *parse_time("2026-01-02T03:04:05Z");
  made.uid = "u-1";
  return made;
}

const Resource& deployments() {
  return *Registry::builtin().find_resource("apps", "v1", "deployments");
}

constexpr std::string_view kDeployment =
    R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{
    "selector":{"matchLabels":{"app":"a"}},"template":{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"c",
    "image":"nginx"}]}}},"status":{"replicas":5}})";

Json created(const Resource& resource, std::string_view body) {
  auto draft = draft_create(resource, parse(body), {}, options());
  EXPECT_TRUE(draft.ok()) << (draft ? "" : draft.error().message());
  auto written = finish(resource, Json(), *std::move(draft), options());
  EXPECT_TRUE(written.ok()) << (written ? "" : written.error().message());
  Json object = written->object;
  object["metadata"].set("resourceVersion", "7");
  return object;
}

TEST(Api_Write, creates_with_system_fields_and_without_status) {
  const Json object = created(deployments(), kDeployment);
  EXPECT_EQ(object.at({"metadata", "uid"}).as_string(), "u-1");
  EXPECT_EQ(object.at({"metadata", "generation"}).as_int(), 1);
  EXPECT_EQ(object.at({"metadata", "namespace"}).as_string(), "n");
  EXPECT_EQ(object["status"].dump(), "{}");
  EXPECT_EQ(object.at({"spec", "replicas"}).as_int(), 1);
}

TEST(Api_Write, moves_the_generation_with_the_spec_alone) {
  const Json live = created(deployments(), kDeployment);
  auto draft = draft_patch(deployments(), live, PatchType::Merge, R"({"spec":{"replicas":3}})", options("a"));
  ASSERT_TRUE(draft);
  auto written = finish(deployments(), live, *std::move(draft), options("a"));
  ASSERT_TRUE(written);
  EXPECT_EQ(written->object.at({"metadata", "generation"}).as_int(), 2);
  draft = draft_patch(deployments(), live, PatchType::Merge, R"({"metadata":{"labels":{"x":"y"}}})",
                      options("a"));
  written = finish(deployments(), live, *std::move(draft), options("a"));
  EXPECT_EQ(written->object.at({"metadata", "generation"}).as_int(), 1);
}

TEST(Api_Write, knows_that_nothing_has_changed) {
  const Json live = created(deployments(), kDeployment);
  WriteOptions later = options("a");
  later.now += std::chrono::hours(1);
  auto draft = draft_update(deployments(), live, parse(kDeployment), {}, later);
  ASSERT_TRUE(draft);
  auto written = finish(deployments(), live, *std::move(draft), later);
  ASSERT_TRUE(written);
  EXPECT_TRUE(written->unchanged);
  EXPECT_EQ(written->object, live);
}

TEST(Api_Write, refuses_a_stale_version) {
  const Json live = created(deployments(), kDeployment);
  Json body = parse(kDeployment);
  body["metadata"].set("resourceVersion", "6");
  auto draft = draft_update(deployments(), live, body, {}, options("a"));
  ASSERT_FALSE(draft);
  EXPECT_EQ(draft.error().code(), Code::Conflict);
}

TEST(Api_Write, writes_only_the_status_through_status) {
  const Json live = created(deployments(), kDeployment);
  WriteOptions status = options("a");
  status.subresource = "status";
  auto draft = draft_patch(deployments(), live, PatchType::Merge,
                           R"({"spec":{"replicas":9},"status":{"replicas":2}})", status);
  ASSERT_TRUE(draft);
  auto written = finish(deployments(), live, *std::move(draft), status);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->object.at({"spec", "replicas"}).as_int(), 1);
  EXPECT_EQ(written->object.at({"status", "replicas"}).as_int(), 2);
  EXPECT_EQ(written->object.at({"metadata", "generation"}).as_int(), 1);
}

TEST(Api_Write, needs_a_version_where_the_kind_does) {
  const Resource& leases = *Registry::builtin().find_resource("coordination.k8s.io", "v1", "leases");
  const Json live = created(leases, R"({"metadata":{"name":"a"},"spec":{}})");
  auto draft = draft_update(leases, live, parse(R"({"metadata":{"name":"a"},"spec":{}})"), {}, options("a"));
  ASSERT_FALSE(draft);
  EXPECT_EQ(draft.error().code(), Code::Invalid);
}

TEST(Api_Write, makes_an_object_by_apply) {
  auto draft = draft_apply(deployments(), Json(), parse(kDeployment), options("a"));
  ASSERT_TRUE(draft) << draft.error().message();
  EXPECT_TRUE(draft->creates);
  auto written = finish(deployments(), Json(), *std::move(draft), options("a"));
  ASSERT_TRUE(written) << written.error().message();
  EXPECT_EQ(written->object.at({"metadata", "managedFields"}).element(0)["operation"].as_string(), "Apply");
}

TEST(Api_Write, merges_a_secrets_texts) {
  const Resource& secrets = *Registry::builtin().find_resource("", "v1", "secrets");
  const Json object = created(secrets, R"({"metadata":{"name":"a"},"stringData":{"k":"v"}})");
  EXPECT_EQ(object["data"].dump(), R"({"k":"dg=="})");
  EXPECT_FALSE(object.contains("stringData"));
}

}  // namespace
}  // namespace flotilla::api
