// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/unified_auth/impersonation.hpp"

#include <algorithm>
#include <set>

#include "core/api/karmada.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

bool lists(const Json& list, std::string_view value) {
  const auto elements = list.elements();
  return std::any_of(elements.begin(), elements.end(),
                     [&](const Json& element) { return element.as_string() == value; });
}

bool names_resource(const Json& rule, std::string_view group, std::string_view resource) {
  const std::string subresource = "*/" + std::string(resource.substr(resource.find('/') + 1));
  return (lists(rule["apiGroups"], "*") || lists(rule["apiGroups"], group)) &&
         (lists(rule["resources"], "*") || lists(rule["resources"], resource) ||
          lists(rule["resources"], subresource));
}

Json named(std::string_view kind) {
  Json metadata = Json::object({{"name", kImpersonator}});
  metadata.make({"labels", api::labels::kSystem}) = api::kTrue;
  return Json::object(
      {{"apiVersion", std::string(kRbac) + "/v1"}, {"kind", kind}, {"metadata", std::move(metadata)}});
}

}  // namespace

bool allows_proxy(const Json& cluster_role, std::string_view cluster) {
  const auto rules = cluster_role["rules"].elements();
  return std::any_of(rules.begin(), rules.end(), [&](const Json& rule) {
    if (names_resource(rule, api::groups::kSearch, "proxying/proxy")) return true;
    return names_resource(rule, api::groups::kCluster, "clusters/proxy") &&
           (cluster.empty() || rule["resourceNames"].empty() || lists(rule["resourceNames"], cluster));
  });
}

Json impersonation_rules(std::span<const Json> subjects) {
  static constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
      {"User", "users"}, {"ServiceAccount", "serviceaccounts"}, {"Group", "groups"}};
  Json rules = Json::array();
  for (const auto& [kind, resource] : kKinds) {
    std::set<std::string> names;
    for (const Json& subject : subjects) {
      if (subject["kind"].as_string() == kind) names.emplace(subject["name"].as_string());
    }
    if (names.empty()) continue;
    const std::vector<std::string> sorted(names.begin(), names.end());
    rules.push_back(Json::object({{"verbs", Json::array({"impersonate"})},
                                  {"apiGroups", Json::array({""})},
                                  {"resources", Json::array({resource})},
                                  {"resourceNames", Json::strings(sorted)}}));
  }
  return rules;
}

Json impersonator_role(Json rules) {
  Json role = named("ClusterRole");
  role.set("rules", std::move(rules));
  return role;
}

Json impersonator_role_binding(std::string_view name_space) {
  Json binding = named("ClusterRoleBinding");
  binding.set("subjects",
              Json::array({Json::object(
                  {{"kind", "ServiceAccount"}, {"name", kImpersonator}, {"namespace", name_space}})}));
  binding.set("roleRef",
              Json::object({{"apiGroup", kRbac}, {"kind", "ClusterRole"}, {"name", kImpersonator}}));
  return binding;
}

}  // namespace flotilla::controllers
