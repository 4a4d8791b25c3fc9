// SPDX-License-Identifier: Apache-2.0
#include "core/api/patch/managed_fields.hpp"

#include <gtest/gtest.h>

#include "core/api/schema/registry.hpp"

namespace flotilla::api {
namespace {

Json parse(std::string_view text) {
  return *Json::parse(text);
}

const Schema& config_map() {
  return *TypeSet::builtin().find("io.k8s.api.core.v1.ConfigMap");
}

FieldWriter writer(std::string manager) {
  FieldWriter made;
  made.manager = std::move(manager);
  made.api_version = "v1";
  made.now = *parse_time("2026-01-02T03:04:05Z");
  return made;
}

Json map(std::string_view data) {
  return parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":)" +
               std::string(data) + "}");
}

std::string owned(const Json& object, std::string_view manager) {
  for (const Json& one : object.at({"metadata", "managedFields"}).elements()) {
    if (one["manager"].as_string() == manager) return one["fieldsV1"].dump();
  }
  return "";
}

Json applied(const Json& live, std::string_view data, std::string manager, bool force = false) {
  auto result = apply(config_map(), live, map(data), writer(std::move(manager)), force);
  EXPECT_TRUE(result.ok()) << (result ? "" : result.error().message());
  return result ? result->object : Json();
}

TEST(Api_ManagedFields, records_containers_on_create) {
  const Json made = record_update(config_map(), Json(), map(R"({"a":"1"})"), writer("kubectl-create"));
  EXPECT_EQ(owned(made, "kubectl-create"), R"({"f:data":{".":{},"f:a":{}}})");
}

TEST(Api_ManagedFields, claims_only_leaves_on_apply) {
  EXPECT_EQ(owned(applied(Json(), R"({"a":"1"})", "one"), "one"), R"({"f:data":{"f:a":{}}})");
}

TEST(Api_ManagedFields, refuses_to_take_anothers_field) {
  const Json live = applied(Json(), R"({"a":"1"})", "one");
  auto second = apply(config_map(), live, map(R"({"a":"2"})"), writer("two"), false);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::Conflict);
  EXPECT_EQ(second.error().message(), "Apply failed with 1 conflict: conflict with \"one\": .data.a");
  EXPECT_EQ(second.error().details()->causes.front().field, ".data.a");
}

TEST(Api_ManagedFields, takes_it_by_force) {
  const Json live = applied(applied(Json(), R"({"a":"1"})", "one"), R"({"a":"2"})", "two", true);
  EXPECT_EQ(owned(live, "two"), R"({"f:data":{"f:a":{}}})");
  EXPECT_EQ(owned(live, "one"), "");
}

TEST(Api_ManagedFields, shares_what_two_want_alike_and_removes_what_nobody_wants) {
  Json live = applied(applied(Json(), R"({"a":"1","b":"1"})", "one"), R"({"b":"1"})", "two");
  live = applied(live, R"({"a":"1"})", "one");
  EXPECT_EQ(live["data"].dump(), R"({"a":"1","b":"1"})");
  live = applied(live, "{}", "two");
  EXPECT_EQ(live["data"].dump(), R"({"a":"1"})");
}

TEST(Api_ManagedFields, gives_changed_fields_to_who_updates) {
  const Json live = applied(Json(), R"({"a":"1"})", "one");
  Json fresh = live;
  fresh["data"].set("a", "2");
  const Json updated = record_update(config_map(), live, fresh, writer("editor"));
  EXPECT_EQ(owned(updated, "editor"), R"({"f:data":{"f:a":{}}})");
  EXPECT_EQ(owned(updated, "one"), "");
}

TEST(Api_ManagedFields, ignores_fields_of_the_other_endpoint) {
  const Schema& deployment = *TypeSet::builtin().find("io.k8s.api.apps.v1.Deployment");
  const Json live =
      parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","uid":"u","managedFields":[
      {"manager":"x","operation":"Update","apiVersion":"apps/v1","fieldsType":"FieldsV1",
       "fieldsV1":{"f:spec":{"f:replicas":{}}}}]},"spec":{"replicas":1}})");
  const Json config =
      parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":4},
      "status":{"replicas":2}})");
  FieldWriter status = writer("ctl");
  status.subresource = "status";
  status.ignored = FieldSet::of({{"spec"}});
  auto result = apply(deployment, live, config, status, false);
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(owned(result->object, "ctl"), R"({"f:status":{"f:replicas":{}}})");
}

TEST(Api_ManagedFields, empties_on_request) {
  const Json live = applied(Json(), R"({"a":"1"})", "one");
  Json fresh = live;
  fresh["metadata"].set("managedFields", Json::array({Json::object()}));
  EXPECT_TRUE(
      record_update(config_map(), live, fresh, writer("editor")).at({"metadata", "managedFields"}).is_null());
}

TEST(Api_ManagedFields, names_a_manager_by_its_user_agent) {
  EXPECT_EQ(field_manager("", "kubectl/v1.32 (linux)"), "kubectl");
  EXPECT_EQ(field_manager("me", "kubectl/v1.32"), "me");
  EXPECT_EQ(field_manager("", ""), "unknown");
}

}  // namespace
}  // namespace flotilla::api
