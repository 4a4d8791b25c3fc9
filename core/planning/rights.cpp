// SPDX-License-Identifier: Apache-2.0
#include "core/planning/rights.hpp"

#include "core/api/karmada.hpp"

namespace flotilla::planning {
namespace {

using apiserver::Access;
using apiserver::ExtensionCall;

Status may_list(const ExtensionCall& call, std::string_view group, std::string_view resource,
                const std::string& ns) {
  return call.authorize({"list", std::string(group), std::string(resource), {}, ns, {}});
}

}  // namespace

Status may_see_consequences(const ExtensionCall& call, const std::set<std::string>& namespaces) {
  const std::pair<std::string_view, std::string_view> everywhere[] = {
      {api::groups::kCluster, "clusters"},
      {api::groups::kWork, "works"},
      {api::groups::kPolicy, "clusterpropagationpolicies"},
      {api::groups::kPolicy, "clusteroverridepolicies"}};
  for (const auto& [group, resource] : everywhere) {
    if (Status may = may_list(call, group, resource, {}); !may) return may;
  }
  const bool all = namespaces.contains("");
  for (const std::string& ns : all ? std::set<std::string>{""} : namespaces) {
    const std::pair<std::string_view, std::string_view> within[] = {
        {api::groups::kWork, "resourcebindings"},
        {api::groups::kPolicy, "propagationpolicies"},
        {api::groups::kPolicy, "overridepolicies"}};
    for (const auto& [group, resource] : within) {
      if (Status may = may_list(call, group, resource, ns); !may) return may;
    }
  }
  return all ? may_list(call, api::groups::kWork, "clusterresourcebindings", {}) : Status();
}

Status may_read(const ExtensionCall& call, const store::StoredKind& kind, const api::ObjectKey& key) {
  return call.authorize({"get", kind.gvk.group, kind.resource, {}, key.ns, key.name});
}

Status may_read_member(const ExtensionCall& call, const std::string& cluster) {
  return call.authorize({"get", std::string(api::groups::kCluster), "clusters", "proxy", {}, cluster});
}

}  // namespace flotilla::planning
