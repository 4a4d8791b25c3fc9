// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "core/api/conditions.hpp"
#include "core/controllers/cluster_status/cluster_status_reconciler.hpp"

namespace flotilla::controllers {

ReadyObservation ready_of(const ClusterObservation& seen) {
  if (!seen.attached) return {"False", "StatusCollectionFailed", seen.problem};
  if (!seen.probe.reachable) return {"False", "ClusterNotReachable", "cluster is not reachable"};
  if (!seen.probe.healthy) {
    return {"False", "ClusterNotReady", "cluster is reachable but health endpoint responded without ok"};
  }
  return {"True", "ClusterReady", "cluster is healthy and ready to accept workloads"};
}

Json api_enablements(const cluster::Discovery& discovery) {
  std::map<std::string, std::map<std::string, std::string>> by_version;  // groupVersion -> resource -> kind
  for (const cluster::DiscoveredResource& resource : discovery.resources) {
    if (resource.resource.find('/') != std::string::npos) continue;
    const std::string version =
        resource.group.empty() ? resource.version : resource.group + "/" + resource.version;
    by_version[version].emplace(resource.resource, resource.kind);
  }
  Json enablements = Json::array();
  for (const auto& [version, resources] : by_version) {
    Json list = Json::array();
    for (const auto& [name, kind] : resources) list.push_back(Json::object({{"name", name}, {"kind", kind}}));
    enablements.push_back(Json::object({{"groupVersion", version}, {"resources", std::move(list)}}));
  }
  return enablements;
}

Result<Json> cluster_status(const Json& cluster, const ClusterObservation& seen,
                            const ReadyObservation& ready, WallTime now) {
  Json status = cluster["status"];
  if (!status.is_object()) status = Json::object();
  const bool healthy = seen.attached && seen.probe.reachable && seen.probe.healthy;
  if (healthy && ready.status == "True") {
    if (!seen.probe.version.empty()) status.set("kubernetesVersion", seen.probe.version);
    if (seen.discovery) status.set("apiEnablements", api_enablements(*seen.discovery));
    const bool empty = !seen.discovery || seen.discovery->resources.empty();
    const bool partial = seen.discovery_failed || (seen.discovery && !seen.discovery->complete);
    api::set_condition(status["conditions"],
                       {"CompleteAPIEnablements", empty || partial ? "False" : "True",
                        empty     ? "Empty"
                        : partial ? "Partial"
                                  : "Complete",
                        empty     ? "collected empty APIEnablements from the cluster"
                        : partial ? "might collect partial APIEnablements from the cluster"
                                  : "collected complete APIEnablements from the cluster"},
                       now);
    if (!seen.node_summary.is_null()) status.set("nodeSummary", seen.node_summary);
    if (!seen.resource_summary.is_null()) status.set("resourceSummary", seen.resource_summary);
  }
  api::set_condition(status["conditions"],
                     {api::conditions::kReady, ready.status, ready.reason, ready.message}, now);
  return status;
}

ReadyObservation ReadySmoother::smooth(const std::string& cluster, const ReadyObservation& seen,
                                       const ReadyObservation& shown, SteadyTime now) {
  const auto known = since_.find(cluster);
  if (known == since_.end()) {
    since_[cluster] = {seen.status, now};
    return seen;
  }
  if (known->second.status != seen.status) known->second = {seen.status, now};
  const bool was_ready = shown.status == "True";
  const bool is_ready = seen.status == "True";
  if (shown.status.empty() || was_ready == is_ready || shown.status == "Unknown") return seen;
  const Duration threshold = is_ready ? success_ : failure_;
  return now - known->second.since >= threshold ? seen : shown;
}

}  // namespace flotilla::controllers
