// SPDX-License-Identifier: Apache-2.0
#include "core/api/agent_rights.hpp"

#include "core/api/names.hpp"
#include "core/api/object.hpp"

namespace flotilla::api {
namespace {

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";
constexpr std::string_view kVersion = "rbac.authorization.k8s.io/v1";
constexpr std::string_view kClusters = "cluster.karmada.io", kWorks = "work.karmada.io",
                           kConfig = "config.karmada.io", kLeases = "coordination.k8s.io",
                           kRequests = "certificates.k8s.io";
using Words = std::vector<std::string>;

Json rule(std::string_view group, const Words& resources, const Words& verbs, const Words& names = {}) {
  Json out = Json::object({{"apiGroups", Json::array({group})},
                           {"resources", Json::strings(resources)},
                           {"verbs", Json::strings(verbs)}});
  if (!names.empty()) out.set("resourceNames", Json::strings(names));
  return out;
}

Json metadata(const std::string& name, std::string_view ns) {
  Json out = Json::object({{"name", name}});
  if (!ns.empty()) out.set("namespace", ns);
  return out;
}

Json role(const std::string& name, std::string_view ns, Json rules) {
  return Json::object({{"apiVersion", kVersion},
                       {"kind", ns.empty() ? "ClusterRole" : "Role"},
                       {"metadata", metadata(name, ns)},
                       {"rules", std::move(rules)}});
}

Json binding(const std::string& name, std::string_view ns, const std::string& role_name,
             std::string_view subject_kind, std::string_view subject) {
  const Json reference = Json::object(
      {{"apiGroup", kGroup}, {"kind", ns.empty() ? "ClusterRole" : "Role"}, {"name", role_name}});
  const Json who = Json::object({{"apiGroup", kGroup}, {"kind", subject_kind}, {"name", subject}});
  return Json::object({{"apiVersion", kVersion},
                       {"kind", ns.empty() ? "ClusterRoleBinding" : "RoleBinding"},
                       {"metadata", metadata(name, ns)},
                       {"roleRef", reference},
                       {"subjects", Json::array({who})}});
}

const Words kInterpreters = {"resourceinterpreterwebhookconfigurations", "resourceinterpretercustomizations"};

Json own_rules(const std::string& cluster) {
  return Json::array(
      {rule(kClusters, {"clusters"}, {"get", "delete"}, {cluster}),
       rule(kClusters, {"clusters"}, {"create", "list", "watch"}),
       rule(kClusters, {"clusters/status"}, {"update"}, {cluster}),
       rule(kConfig, kInterpreters, {"get", "list", "watch"}), rule("", {"namespaces"}, {"get"}),
       rule(kLeases, {"leases"}, {"get", "create", "update"}),
       rule(kRequests, {"certificatesigningrequests"}, {"get", "create"}),
       rule("", {"services"}, {"list", "watch"}), rule("", {"events"}, {"patch", "create", "update"})});
}

// Whoever gives rights has to have them.
Json giver_rules() {
  return Json::array(
      {rule(kClusters, {"clusters"}, {"get", "create", "delete", "list", "watch"}),
       rule(kClusters, {"clusters/status"}, {"update"}),
       rule(kConfig, kInterpreters, {"get", "list", "watch"}), rule("", {"namespaces"}, {"get", "create"}),
       rule("", {"services"}, {"list", "watch"}), rule("", {"events"}, {"create", "update", "patch"}),
       rule("", {"secrets"}, {"get", "create", "patch"}),
       rule(kLeases, {"leases"}, {"get", "create", "update"}),
       rule(kRequests, {"certificatesigningrequests"}, {"get", "create", "delete"}),
       rule(kWorks, {"works"}, {"get", "create", "list", "watch", "update", "delete"}),
       rule(kWorks, {"works/status"}, {"update", "patch"}),
       rule(kGroup, {"roles", "rolebindings", "clusterroles", "clusterrolebindings"}, {"create", "delete"})});
}

}  // namespace

std::string agent_user(std::string_view cluster) {
  return std::string(kAgentUserPrefix) + std::string(cluster);
}

std::vector<Json> agent_rights(std::string_view cluster, std::string_view ns) {
  const std::string name(cluster);
  const std::string base = "system:karmada:" + name + ":agent";
  const std::string user = agent_user(cluster);
  const std::string space = execution_namespace(name);
  const std::string secrets = base + "-secret", works = base + "-work";
  Json secret_rules = Json::array({rule("", {"secrets"}, {"get", "patch"}, {name, name + "-impersonator"}),
                                   rule("", {"secrets"}, {"create"})});
  Json work_rules =
      Json::array({rule(kWorks, {"works"}, {"get", "create", "list", "watch", "update", "delete"}),
                   rule(kWorks, {"works/status"}, {"patch", "update"})});
  return {role(base, {}, own_rules(name)),
          binding(base, {}, base, "User", user),
          role(secrets, ns, std::move(secret_rules)),
          binding(secrets, ns, secrets, "User", user),
          role(works, space, std::move(work_rules)),
          binding(works, space, works, "User", user)};
}

std::vector<Json> agent_admission_rights() {
  struct Right {
    const char *role, *binding;
    Json rules;
    const char* subject_kind;
    std::string_view subject;
  };
  const Right rights[] = {
      {"system:karmada:cluster-bootstrapper", "system:karmada:agent-bootstrap",
       Json::array({rule(kRequests, {"certificatesigningrequests"}, {"create", "get"})}), "Group",
       kAgentTokenGroup},
      {"system:karmada:certificatesigningrequest:autoapprover", "system:karmada:agent-autoapprove-bootstrap",
       Json::array({rule(kRequests, {"certificatesigningrequests/clusteragent"}, {"create"})}), "Group",
       kAgentTokenGroup},
      {"system:karmada:certificatesigningrequest:selfautoapprover",
       "system:karmada:agent-autoapprove-certificate-rotation",
       Json::array({rule(kRequests, {"certificatesigningrequests/selfclusteragent"}, {"create"})}), "Group",
       kAgentGroup},
      {"system:karmada:agent-rbac-generator", "system:karmada:agent-rbac-generator", giver_rules(), "User",
       kAgentRightsGiver}};
  std::vector<Json> objects;
  for (const Right& right : rights) {
    objects.push_back(role(right.role, {}, right.rules));
    objects.push_back(binding(right.binding, {}, right.role, right.subject_kind, right.subject));
    for (std::size_t i = objects.size() - 2; i < objects.size(); ++i)
      objects[i]["metadata"].set("labels", Json::object({{"karmada.io/bootstrapping", "rbac-defaults"}}));
  }
  return objects;
}

std::string rights_collection(const Json& object) {
  const std::string_view kind = object["kind"].as_string();
  std::string path = "/apis/" + std::string(kVersion);
  if (const std::string_view ns = namespace_of(object); !ns.empty()) path += "/namespaces/" + std::string(ns);
  return path + (kind == "ClusterRole"          ? "/clusterroles"
                 : kind == "ClusterRoleBinding" ? "/clusterrolebindings"
                 : kind == "Role"               ? "/roles"
                                                : "/rolebindings");
}

}  // namespace flotilla::api
