// SPDX-License-Identifier: Apache-2.0
#include "core/api/agent_rights.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/api/object.hpp"

namespace flotilla::api {
namespace {

// "verb group/resource [name]" of every rule of an object.
std::set<std::string> rights_in(const Json& role) {
  std::set<std::string> rights;
  for (const Json& rule : role["rules"].elements()) {
    for (const Json& verb : rule["verbs"].elements()) {
      for (const Json& resource : rule["resources"].elements()) {
        std::string text = std::string(verb.as_string()) + " " +
                           std::string(rule["apiGroups"].element(0).as_string()) + "/" +
                           std::string(resource.as_string());
        for (const Json& name : rule["resourceNames"].elements()) text += " " + std::string(name.as_string());
        rights.insert(text);
      }
    }
  }
  return rights;
}

// As karmadactl register gives them, no more.
TEST(Api_AgentRights, an_agent_may_do_this_and_nothing_else) {
  const auto objects = agent_rights("m1", "karmada-cluster");
  ASSERT_EQ(objects.size(), 6u);
  EXPECT_EQ(name_of(objects[0]), "system:karmada:m1:agent");
  EXPECT_EQ(rights_in(objects[0]),
            (std::set<std::string>{"get cluster.karmada.io/clusters m1",
                                   "delete cluster.karmada.io/clusters m1",
                                   "create cluster.karmada.io/clusters",
                                   "list cluster.karmada.io/clusters",
                                   "watch cluster.karmada.io/clusters",
                                   "update cluster.karmada.io/clusters/status m1",
                                   "get config.karmada.io/resourceinterpretercustomizations",
                                   "list config.karmada.io/resourceinterpretercustomizations",
                                   "watch config.karmada.io/resourceinterpretercustomizations",
                                   "get config.karmada.io/resourceinterpreterwebhookconfigurations",
                                   "list config.karmada.io/resourceinterpreterwebhookconfigurations",
                                   "watch config.karmada.io/resourceinterpreterwebhookconfigurations",
                                   "get /namespaces",
                                   "get coordination.k8s.io/leases",
                                   "create coordination.k8s.io/leases",
                                   "update coordination.k8s.io/leases",
                                   "get certificates.k8s.io/certificatesigningrequests",
                                   "create certificates.k8s.io/certificatesigningrequests",
                                   "list /services",
                                   "watch /services",
                                   "patch /events",
                                   "create /events",
                                   "update /events"}));
  EXPECT_EQ(rights_in(objects[2]),
            (std::set<std::string>{"get /secrets m1 m1-impersonator", "patch /secrets m1 m1-impersonator",
                                   "create /secrets"}));
  EXPECT_EQ(rights_in(objects[4]),
            (std::set<std::string>{
                "get work.karmada.io/works", "create work.karmada.io/works", "list work.karmada.io/works",
                "watch work.karmada.io/works", "update work.karmada.io/works", "delete work.karmada.io/works",
                "patch work.karmada.io/works/status", "update work.karmada.io/works/status"}));
  EXPECT_EQ(namespace_of(objects[2]), "karmada-cluster");
  EXPECT_EQ(namespace_of(objects[4]), "karmada-es-m1");
  for (const std::size_t binding : {1, 3, 5}) {
    EXPECT_EQ(objects[binding]["subjects"].element(0)["name"].as_string(), "system:karmada:agent:m1");
    EXPECT_EQ(objects[binding]["roleRef"]["name"].as_string(), name_of(objects[binding - 1]));
  }
}

TEST(Api_AgentRights, whoever_gives_these_rights_has_them) {
  const auto objects = agent_admission_rights();
  ASSERT_EQ(objects.size(), 8u);
  const auto giver = rights_in(objects[6]);
  EXPECT_EQ(name_of(objects[6]), "system:karmada:agent-rbac-generator");
  for (const std::size_t role : {0, 2, 4}) {
    for (const std::string& right : rights_in(agent_rights("m1", "karmada-cluster")[role])) {
      const std::string everywhere = right.substr(0, right.find(' ', right.find(' ') + 1));
      EXPECT_TRUE(giver.contains(everywhere)) << right;
    }
  }
}

TEST(Api_AgentRights, objects_know_where_they_belong) {
  const auto objects = agent_rights("m1", "ns");
  EXPECT_EQ(rights_collection(objects[0]), "/apis/rbac.authorization.k8s.io/v1/clusterroles");
  EXPECT_EQ(rights_collection(objects[3]), "/apis/rbac.authorization.k8s.io/v1/namespaces/ns/rolebindings");
}

}  // namespace
}  // namespace flotilla::api
