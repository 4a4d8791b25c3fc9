// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/search/fleet.hpp"

#include <gtest/gtest.h>

#include "core/api/multi_cluster_version.hpp"
#include "core/api/table/table.hpp"

namespace flotilla::apiserver {
namespace {

ResourcePtr builtin(const char* group, const char* resource) {
  return api::Registry::builtin().find_resource(group, "v1", resource);
}

std::string columns(const char* group, const char* resource) {
  std::string text;
  for (const api::PrinterColumn& column :
       api::table_columns(*as_shown(*builtin(group, resource), Shape::Table)))
    text += (column.priority == 0 ? column.name + "," : "");
  return text;
}

TEST(ApiServer_Fleet, pods_and_nodes_have_their_own_columns_in_tables) {
  EXPECT_EQ(columns("", "pods"), "Name,Ready,Status,Restarts,Age,");
  EXPECT_EQ(columns("", "nodes"), "Name,Status,Roles,Age,Version,");
  EXPECT_EQ(columns("apps", "deployments"), "Name,Created At,");
  EXPECT_EQ(columns("", "services"), "Name,Created At,");
}

TEST(ApiServer_Fleet, objects_in_lists_say_their_kind) {
  const ResourcePtr shown = as_shown(*builtin("apps", "deployments"), Shape::Object);
  EXPECT_EQ(shown->list_kind, "DeploymentList");
  EXPECT_NE(shown->origin, api::Origin::Kubernetes);
}

class ApiServer_FleetOwner : public ::testing::Test {
 protected:
  void add(const std::string& cluster, const std::string& name, search::Namespaces shown) {
    auto cache = std::make_shared<search::ResourceCache>(cluster, api::Gvr{"", "v1", "pods"}, topic_.changed,
                                                         SteadyTime());
    Json object = *Json::parse(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"a","name":")" +
                               name + R"(","resourceVersion":"7"}})");
    search::ResourceCache::Objects objects;
    objects[{"a", name}] = cache->keep(std::move(object));
    cache->replace(std::move(objects), Revision(9));
    topic_.sources.emplace(cluster, search::Topic::Source{std::move(cache), std::move(shown)});
  }
  std::string owner(const std::string& name) const {
    const auto owner = find_owner(topic_, "a", name);
    return owner ? owner->cluster : std::to_string(http_code(owner.error())) + " " + owner.error().message();
  }
  search::Topic topic_{builtin("", "pods"), {}, std::make_shared<Event>()};
};

TEST_F(ApiServer_FleetOwner, is_the_one_member_that_has_it) {
  add("m1", "p", search::Namespaces::all());
  add("m2", "q", search::Namespaces::all());
  add("m3", "q", search::Namespaces::all());
  EXPECT_EQ(owner("p"), "m1");
  EXPECT_EQ(owner("x"), "404 pods \"x\" not found");
  EXPECT_EQ(owner("q"),
            "409 Operation cannot be fulfilled on pods \"q\": ambiguous objects in clusters [m2, m3]");
}

TEST_F(ApiServer_FleetOwner, is_not_found_where_its_namespace_is_not_shown) {
  search::Namespaces others;
  others.add("b");
  add("m1", "p", others);
  EXPECT_EQ(owner("p"), "404 pods \"p\" not found");
}

TEST(ApiServer_Fleet, a_body_is_given_back_what_the_member_knows) {
  api::MultiClusterVersion versions({{"m1", "7"}, {"m2", "9"}});
  const std::string version = "\"resourceVersion\":\"" + versions.encode() + "\"";
  const std::string source = R"("annotations":{"resource.karmada.io/cached-from-cluster":"m1"})";
  EXPECT_EQ(recover_body("{\"metadata\":{" + source + "," + version + "}}", "update", "m1"),
            R"({"metadata":{"annotations":{},"resourceVersion":"7"}})");
  EXPECT_EQ(recover_body("{\"metadata\":{" + version + "}}", "update", "m3"),
            R"({"metadata":{"resourceVersion":""}})");
  EXPECT_EQ(recover_body("{\"metadata\":{" + version + "}}", "patch", "m2"),
            R"({"metadata":{"resourceVersion":"9"}})");
  EXPECT_EQ(recover_body("{\"preconditions\":{" + version + "}}", "delete", "m2"),
            R"({"preconditions":{"resourceVersion":"9"}})");
}

TEST(ApiServer_Fleet, a_body_that_needs_nothing_stays_as_it_is) {
  for (const char* body : {"", "no: json", "[1]", R"({ "metadata" : {"resourceVersion":"12"} })"})
    EXPECT_EQ(recover_body(body, "update", "m1"), body);
  const std::string posted = R"({ "metadata":{"resourceVersion":"eyJtMSI6IjcifQ"}})";
  EXPECT_EQ(recover_body(posted, "create", "m1"), posted);
}

}  // namespace
}  // namespace flotilla::apiserver
