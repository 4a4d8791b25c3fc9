// SPDX-License-Identifier: Apache-2.0
#include "core/search/registries.hpp"

#include <algorithm>

#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"

namespace flotilla::search {
namespace {

// Told to be missing. What a member did not finish telling is not.
bool is_api_disabled(const Json& status, const api::Resource& resource) {
  for (const Json& enablement : status["apiEnablements"].elements()) {
    if (enablement["groupVersion"].as_string() != resource.group_version()) continue;
    for (const Json& one : enablement["resources"].elements()) {
      if (one["kind"].as_string() == resource.kind) return false;
    }
  }
  return api::is_condition_true(status["conditions"], "CompleteAPIEnablements");
}

std::optional<OpenSearchTarget> index_of(const Json& registry) {
  const Json& store = registry["spec"]["backendStore"]["openSearch"];
  if (!store.is_object()) return std::nullopt;
  OpenSearchTarget target;
  for (const Json& address : store["addresses"].elements())
    target.addresses.emplace_back(address.as_string());
  target.secret_ns = store["secretRef"]["namespace"].as_string();
  target.secret_name = store["secretRef"]["name"].as_string();
  if (target.secret_ns.empty() || target.secret_name.empty()) {
    target.secret_ns.clear();
    target.secret_name.clear();
  }
  return target;
}

}  // namespace

Namespaces Namespaces::all() {
  Namespaces every;
  every.all_ = true;
  return every;
}

void Namespaces::add(std::string_view ns) {
  if (ns.empty()) *this = all();
  if (!all_) names_.emplace(ns);
}

void Namespaces::merge(const Namespaces& others) {
  if (others.all_) *this = all();
  if (!all_) names_.insert(others.names_.begin(), others.names_.end());
}

std::optional<std::string> Namespaces::single() const {
  if (all_ || names_.size() != 1) return std::nullopt;
  return *names_.begin();
}

Registries::Registries(std::vector<Json> objects, const FindKind& find_kind) {
  std::sort(objects.begin(), objects.end(),
            [](const Json& a, const Json& b) { return api::name_of(a) < api::name_of(b); });
  for (const Json& object : objects) {
    Registry registry{api::ClusterAffinity(object["spec"]["targetCluster"]), {}, index_of(object)};
    read_selectors(object["spec"]["resourceSelectors"], find_kind, registry);
    if (registry.index && !registry.index->secret_name.empty())
      secrets_.emplace(registry.index->secret_ns, registry.index->secret_name);
    registries_.push_back(std::move(registry));
  }
}

void Registries::read_selectors(const Json& selectors, const FindKind& find_kind, Registry& registry) {
  for (const Json& selector : selectors.elements()) {
    const std::string api_version(selector["apiVersion"].as_string());
    const std::string kind(selector["kind"].as_string());
    const ResourcePtr resource = find_kind(api::Gvk::from(api_version, kind));
    if (!resource) {
      unknown_.insert(api_version + " " + kind);
      continue;
    }
    const Gvr gvr{resource->group, resource->version, resource->resource};
    resources_.emplace(gvr, resource);
    registry.resources[gvr].add(resource->namespaced ? selector["namespace"].as_string() : "");
  }
}

Wanted Registries::wanted_of(const Json& cluster) const {
  Wanted wanted;
  const Json& status = cluster["status"];
  const bool leaving = !cluster["metadata"]["deletionTimestamp"].is_null();
  if (leaving || !api::is_condition_true(status["conditions"], api::conditions::kReady)) return wanted;
  for (const Registry& registry : registries_) {
    if (!registry.clusters.matches(cluster)) continue;
    if (!wanted.index) wanted.index = registry.index;
    for (const auto& [gvr, namespaces] : registry.resources) {
      if (!is_api_disabled(status, *resources_.at(gvr))) wanted.resources[gvr].merge(namespaces);
    }
  }
  return wanted;
}

}  // namespace flotilla::search
