// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/authorizer.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

PolicyRule rule(std::string_view text) {
  return read_rule(*api::Json::parse(text));
}

Attributes reading(std::string resource, std::string subresource = {}, std::string name = {}) {
  Attributes attributes;
  attributes.verb = "get";
  attributes.resource = std::move(resource);
  attributes.subresource = std::move(subresource);
  attributes.name = std::move(name);
  return attributes;
}

TEST(ApiServer_Authorizer, names_subresources_exactly) {
  const PolicyRule pods = rule(R"({"apiGroups":[""],"resources":["pods"],"verbs":["get"]})");
  EXPECT_TRUE(rule_allows(pods, reading("pods")));
  EXPECT_FALSE(rule_allows(pods, reading("pods", "log")));
  EXPECT_TRUE(rule_allows(rule(R"({"apiGroups":[""],"resources":["*/log"],"verbs":["get"]})"),
                          reading("pods", "log")));
  EXPECT_TRUE(
      rule_allows(rule(R"({"apiGroups":["*"],"resources":["*"],"verbs":["*"]})"), reading("pods", "log")));
}

TEST(ApiServer_Authorizer, keeps_rules_with_names_to_these_names) {
  const PolicyRule one =
      rule(R"({"apiGroups":[""],"resources":["pods"],"resourceNames":["a"],"verbs":["get"]})");
  EXPECT_TRUE(rule_allows(one, reading("pods", "", "a")));
  EXPECT_FALSE(rule_allows(one, reading("pods", "", "b")));
  EXPECT_FALSE(rule_allows(one, reading("pods")));
}

TEST(ApiServer_Authorizer, matches_paths_by_their_beginning) {
  const PolicyRule paths = rule(R"({"nonResourceURLs":["/healthz","/apis/*"],"verbs":["get"]})");
  Attributes attributes;
  attributes.verb = "get";
  attributes.is_resource = false;
  attributes.path = "/apis/apps";
  EXPECT_TRUE(rule_allows(paths, attributes));
  attributes.path = "/healthz/ping";
  EXPECT_FALSE(rule_allows(paths, attributes));
}

TEST(ApiServer_Authorizer, prints_what_a_role_would_give_beyond_its_author) {
  const auto missing =
      missing_rules({rule(R"({"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]})")},
                    {rule(R"({"apiGroups":[""],"resources":["secrets"],"verbs":["get","list"]})"),
                     rule(R"({"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]})")});
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0], R"({APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]})");
}

}  // namespace
}  // namespace flotilla::apiserver
