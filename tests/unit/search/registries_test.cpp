// SPDX-License-Identifier: Apache-2.0
#include "core/search/registries.hpp"

#include <gtest/gtest.h>

namespace flotilla::search {
namespace {

const Gvr kPods{"", "v1", "pods"};
const Gvr kNodes{"", "v1", "nodes"};
const Gvr kDeployments{"apps", "v1", "deployments"};

Json registry(const std::string& name, const std::string& spec) {
  return *Json::parse(R"({"metadata":{"name":")" + name + R"("},"spec":)" + spec + "}");
}

Registries read(std::vector<Json> objects) {
  return Registries(std::move(objects),
                    [](const api::Gvk& kind) { return api::Registry::builtin().find_kind(kind); });
}

Json cluster(const std::string& name, const std::string& more = "", const std::string& ready = "True") {
  return *Json::parse(R"({"metadata":{"name":")" + name + R"("},"status":{"conditions":[)" +
                      R"({"type":"Ready","status":")" + ready + R"("})" + more + "}}");
}
const char* const kAnyApi = "]";

TEST(Search_Registries, ask_for_what_any_of_them_names) {
  const Registries registries =
      read({registry("b", R"({"targetCluster":{"clusterNames":["m1"]},
                "resourceSelectors":[{"apiVersion":"v1","kind":"Pod","namespace":"x"}]})"),
            registry("a", R"({"resourceSelectors":[{"apiVersion":"v1","kind":"Pod","namespace":"y"},
                {"apiVersion":"apps/v1","kind":"Deployment"}]})")});
  const Wanted first = registries.wanted_of(cluster("m1", kAnyApi));
  ASSERT_EQ(first.resources.size(), 2u);
  const Namespaces& pods = first.resources.at(kPods);
  EXPECT_TRUE(pods.contains("x") && pods.contains("y") && !pods.contains("z"));
  EXPECT_TRUE(first.resources.at(kDeployments).has_all());
  EXPECT_EQ(registries.wanted_of(cluster("m2", kAnyApi)).resources.at(kPods).single(), "y");
}

TEST(Search_Registries, know_all_that_is_named_even_where_no_member_has_it) {
  const Registries registries = read({registry("a", R"({"targetCluster":{"clusterNames":["none"]},
                "resourceSelectors":[{"apiVersion":"v1","kind":"Pod"},{"apiVersion":"v9","kind":"Pod"}]})")});
  EXPECT_EQ(registries.resources().size(), 1u);
  EXPECT_EQ(registries.unknown_kinds(), std::set<std::string>{"v9 Pod"});
  EXPECT_TRUE(registries.wanted_of(cluster("m1", kAnyApi)).resources.empty());
}

TEST(Search_Registries, ask_nothing_of_members_that_are_not_ready_or_go_away) {
  const Registries registries =
      read({registry("a", R"({"resourceSelectors":[{"apiVersion":"v1","kind":"Pod"}]})")});
  EXPECT_FALSE(registries.wanted_of(cluster("m1", kAnyApi)).resources.empty());
  EXPECT_TRUE(registries.wanted_of(cluster("m1", kAnyApi, "False")).resources.empty());
  Json leaving = cluster("m1", kAnyApi);
  leaving["metadata"].set("deletionTimestamp", "2026-01-01T00:00:00Z");
  EXPECT_TRUE(registries.wanted_of(leaving).resources.empty());
}

TEST(Search_Registries, ask_for_an_api_unless_the_member_is_known_not_to_have_it) {
  const Registries registries =
      read({registry("a", R"({"resourceSelectors":[{"apiVersion":"v1","kind":"Pod"}]})")});
  const std::string complete = R"(,{"type":"CompleteAPIEnablements","status":"True"}])";
  EXPECT_TRUE(registries.wanted_of(cluster("m1", complete)).resources.empty());
  const std::string enabled =
      complete + R"(,"apiEnablements":[{"groupVersion":"v1","resources":[{"kind":"Pod","name":"pods"}]}])";
  EXPECT_EQ(registries.wanted_of(cluster("m1", enabled)).resources.size(), 1u);
}

TEST(Search_Registries, have_no_namespaces_for_what_is_in_none) {
  const Registries registries = read(
      {registry("a", R"({"resourceSelectors":[{"apiVersion":"v1","kind":"Node","namespace":"default"}]})")});
  EXPECT_TRUE(registries.wanted_of(cluster("m1", kAnyApi)).resources.at(kNodes).has_all());
}

TEST(Search_Registries, index_a_member_where_the_first_of_them_says) {
  const char* const pods = R"("resourceSelectors":[{"apiVersion":"v1","kind":"Pod"}])";
  const Registries registries =
      read({registry("c", R"({"backendStore":{"openSearch":{"addresses":["http://c"]}},)" +
                              std::string(pods) + "}"),
            registry("b", R"({"backendStore":{"openSearch":{"addresses":["http://b1","http://b2"],
            "secretRef":{"namespace":"ns","name":"login"}}},)" +
                              std::string(pods) + "}"),
            registry("a", "{" + std::string(pods) + "}")});
  const auto index = registries.wanted_of(cluster("m1", kAnyApi)).index;
  ASSERT_TRUE(index);
  EXPECT_EQ(index->addresses, (std::vector<std::string>{"http://b1", "http://b2"}));
  EXPECT_EQ(index->secret_ns + "/" + index->secret_name, "ns/login");
  EXPECT_EQ(registries.secrets().size(), 1u);
}

TEST(Search_Namespaces, all_swallows_the_rest) {
  Namespaces some;
  some.add("a");
  EXPECT_EQ(some.single(), "a");
  some.add("b");
  EXPECT_EQ(some.single(), std::nullopt);
  some.add("");
  EXPECT_TRUE(some.has_all());
  EXPECT_EQ(some, Namespaces::all());
}

}  // namespace
}  // namespace flotilla::search
