// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/audit/policy.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

AuditPolicy policy(std::string_view rules) {
  const auto json = api::Json::parse(
      R"({"apiVersion":"audit.k8s.io/v1","kind":"Policy","omitStages":["RequestReceived"],"rules":)" +
      std::string(rules) + "}");
  EXPECT_TRUE(json.ok());
  auto read = AuditPolicy::read(*json);
  EXPECT_TRUE(read.ok()) << read.error().message();
  return *std::move(read);
}

AuditLevel level(const AuditPolicy& policy, const UserInfo& user, std::string_view method,
                 std::string_view path) {
  return policy.decide(user, read_request(method, path, Query(""))).level;
}

const UserInfo kAlice{"alice", "", {"dev"}, {}};

TEST(ApiServer_AuditPolicy, the_first_rule_that_fits_decides) {
  const AuditPolicy own = policy(R"([{"level":"None","users":["system:kube-proxy"]},
      {"level":"RequestResponse","resources":[{"group":"","resources":["pods","pods/exec"]}]},
      {"level":"Request","userGroups":["dev"],"verbs":["create","delete"]},
      {"level":"Metadata","nonResourceURLs":["/api*"]}])");
  EXPECT_EQ(level(own, {"system:kube-proxy", "", {}, {}}, "GET", "/api/v1/pods"), AuditLevel::None);
  EXPECT_EQ(level(own, kAlice, "GET", "/api/v1/namespaces/x/pods/y"), AuditLevel::RequestResponse);
  EXPECT_EQ(level(own, kAlice, "GET", "/api/v1/namespaces/x/pods/y/log"), AuditLevel::None);
  EXPECT_EQ(level(own, kAlice, "POST", "/api/v1/namespaces/x/secrets"), AuditLevel::Request);
  EXPECT_EQ(level(own, kAlice, "GET", "/api/v1/namespaces/x/secrets"), AuditLevel::None);
  EXPECT_EQ(level(own, kAlice, "GET", "/apis"), AuditLevel::Metadata);
  EXPECT_EQ(level(own, kAlice, "GET", "/version"), AuditLevel::None);
}

TEST(ApiServer_AuditPolicy, namespaces_and_names_narrow) {
  const AuditPolicy own = policy(R"([{"level":"Metadata","namespaces":["kube-system"]},
      {"level":"Request","resources":[{"group":"apps","resources":["*/scale"]},{"group":"","resources":["configmaps"],"resourceNames":["c"]}]}])");
  EXPECT_EQ(level(own, kAlice, "GET", "/api/v1/namespaces/kube-system/secrets"), AuditLevel::Metadata);
  EXPECT_EQ(level(own, kAlice, "PUT", "/apis/apps/v1/namespaces/x/deployments/d/scale"), AuditLevel::Request);
  EXPECT_EQ(level(own, kAlice, "PUT", "/apis/apps/v1/namespaces/x/deployments/d"), AuditLevel::None);
  EXPECT_EQ(level(own, kAlice, "GET", "/api/v1/namespaces/x/configmaps/c"), AuditLevel::Request);
  EXPECT_EQ(level(own, kAlice, "GET", "/api/v1/namespaces/x/configmaps/d"), AuditLevel::None);
}

TEST(ApiServer_AuditPolicy, stages_add_up) {
  const AuditPolicy own = policy(R"([{"level":"Metadata","omitStages":["ResponseStarted"]}])");
  const auto decision = own.decide(kAlice, read_request("GET", "/version", Query("")));
  EXPECT_EQ(decision.omitted.size(), 2u);
}

TEST(ApiServer_AuditPolicy, faults_name_the_field) {
  const auto message = [](std::string_view text) {
    const auto read = AuditPolicy::read(*api::Json::parse(text));
    return read ? std::string() : read.error().message();
  };
  EXPECT_EQ(message(R"({"apiVersion":"audit.k8s.io/v1","kind":"Policy","rules":[{"level":"All"}]})"),
            "rules[0].level: unknown level \"All\"");
  EXPECT_EQ(message(R"({"apiVersion":"audit.k8s.io/v1","kind":"Policy"})"),
            "rules: at least one is required");
}

}  // namespace
}  // namespace flotilla::apiserver
