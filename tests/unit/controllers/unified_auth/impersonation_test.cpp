// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/unified_auth/impersonation.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;

Json role(std::string_view rule) {
  Json object = Json::object();
  object.set("rules", Json::array({*Json::parse(rule)}));
  return object;
}

TEST(Controllers_Impersonation, roles_that_allow_a_proxy_are_those_that_name_it) {
  const Json named =
      role(R"({"apiGroups":["cluster.karmada.io"],"resources":["clusters/proxy"],"resourceNames":["m1"]})");
  EXPECT_TRUE(allows_proxy(named, "m1"));
  EXPECT_FALSE(allows_proxy(named, "m2"));
  EXPECT_TRUE(allows_proxy(named, ""));
  EXPECT_TRUE(allows_proxy(role(R"({"apiGroups":["*"],"resources":["*"]})"), "m2"));
  EXPECT_TRUE(allows_proxy(role(R"({"apiGroups":["cluster.karmada.io"],"resources":["*/proxy"]})"), "m2"));
  EXPECT_TRUE(
      allows_proxy(role(R"({"apiGroups":["search.karmada.io"],"resources":["proxying/proxy"]})"), "m2"));
  EXPECT_FALSE(allows_proxy(role(R"({"apiGroups":["cluster.karmada.io"],"resources":["clusters"]})"), "m2"));
  EXPECT_FALSE(allows_proxy(role(R"({"apiGroups":[""],"resources":["clusters/proxy"]})"), "m2"));
}

TEST(Controllers_Impersonation, rules_name_each_subject_once_by_kind) {
  const Json subjects = *Json::parse(R"([{"kind":"Group","name":"g"},{"kind":"User","name":"b"},
    {"kind":"User","name":"a"},{"kind":"User","name":"b"},{"kind":"ServiceAccount","name":"s","namespace":"n"}])");
  EXPECT_EQ(
      impersonation_rules(subjects.elements()).dump(),
      R"([{"apiGroups":[""],"resourceNames":["a","b"],"resources":["users"],"verbs":["impersonate"]},)"
      R"({"apiGroups":[""],"resourceNames":["s"],"resources":["serviceaccounts"],"verbs":["impersonate"]},)"
      R"({"apiGroups":[""],"resourceNames":["g"],"resources":["groups"],"verbs":["impersonate"]}])");
  EXPECT_EQ(impersonation_rules({}).dump(), "[]");
}

}  // namespace
}  // namespace flotilla::controllers
