// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/deschedule/deschedule_plan.hpp"

#include <algorithm>
#include <utility>

#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"

namespace flotilla::controllers {

using api::Json;

namespace {

constexpr std::string_view kRevision = "deployment.kubernetes.io/revision";

const Json* controller_of(const Json& object) {
  for (const Json& owner : object["metadata"]["ownerReferences"].elements()) {
    if (owner["controller"].as_bool()) return &owner;
  }
  return nullptr;
}

}  // namespace

bool is_deschedulable(const Json& binding) {
  const Json& resource = binding["spec"]["resource"];
  if (resource["apiVersion"].as_string() != "apps/v1" || resource["kind"].as_string() != "Deployment")
    return false;
  auto placement =
      Json::parse(binding["metadata"]["annotations"][api::annotations::kAppliedPlacement].as_string());
  if (!placement) return false;
  const Json& scheduling = std::as_const(*placement)["replicaScheduling"];
  if (scheduling["replicaSchedulingType"].as_string() != "Divided") return false;
  const std::string_view preference = scheduling["replicaDivisionPreference"].as_string();
  if (preference == "Aggregated") return true;
  return preference == "Weighted" && !scheduling["weightPreference"]["dynamicWeight"].as_string().empty();
}

std::vector<UndesiredCluster> undesired_clusters(const Json& binding) {
  std::vector<UndesiredCluster> undesired;
  for (const Json& target : binding["spec"]["clusters"].elements()) {
    UndesiredCluster cluster{std::string(target["name"].as_string()), target["replicas"].as_int()};
    for (const Json& item : binding["status"]["aggregatedStatus"].elements()) {
      if (item["clusterName"].as_string() == cluster.name && item["status"].is_object())
        cluster.ready = item["status"]["readyReplicas"].as_int();
    }
    if (cluster.ready < cluster.assigned) undesired.push_back(std::move(cluster));
  }
  return undesired;
}

std::vector<UnschedulablePods> unschedulable_pods(std::span<const Json> pods, std::string_view ns,
                                                  Duration threshold, WallTime now) {
  std::vector<UnschedulablePods> found;
  for (const Json& pod : pods) {
    if (pod["metadata"]["namespace"].as_string() != ns) continue;
    const Json* condition = api::find_condition(pod["status"]["conditions"], "PodScheduled");
    if (condition == nullptr || (*condition)["status"].as_string() != "False" ||
        (*condition)["reason"].as_string() != "Unschedulable")
      continue;
    const auto since = parse_time((*condition)["lastTransitionTime"].as_string());
    if (!since || now - *since < threshold) continue;
    const Json* owner = controller_of(pod);
    if (owner == nullptr || (*owner)["kind"].as_string() != "ReplicaSet") continue;
    const std::string_view name = (*owner)["name"].as_string();
    const auto known = std::find_if(found.begin(), found.end(),
                                    [&](const UnschedulablePods& each) { return each.replica_set == name; });
    if (known == found.end()) {
      found.push_back({std::string(ns), std::string(name), 1});
    } else {
      ++known->count;
    }
  }
  return found;
}

bool is_current(const Json& replica_set, const Json& deployment) {
  const Json* owner = controller_of(replica_set);
  if (owner == nullptr || (*owner)["kind"].as_string() != "Deployment" ||
      (*owner)["name"].as_string() != deployment["metadata"]["name"].as_string())
    return false;
  const std::string_view at = deployment["metadata"]["annotations"][kRevision].as_string();
  return at.empty() || replica_set["metadata"]["annotations"][kRevision].as_string() == at;
}

std::optional<Descheduling> plan_descheduling(const Json& binding,
                                              std::span<const UndesiredCluster> undesired) {
  Descheduling plan{Json::array(), "Binding has been descheduled"};
  std::int64_t total = 0;
  for (const Json& target : binding["spec"]["clusters"].elements()) {
    Json kept = target;
    for (const UndesiredCluster& cluster : undesired) {
      if (cluster.name != target["name"].as_string() || cluster.unschedulable <= 0 ||
          cluster.assigned < cluster.unschedulable)
        continue;
      std::int64_t left = cluster.assigned - cluster.unschedulable;
      if (left < cluster.ready && cluster.ready <= cluster.assigned) left = cluster.ready;
      const std::int64_t taken = cluster.assigned - left;
      total += taken;
      plan.message += ", " + std::to_string(taken) + " replica(s) in cluster(" + cluster.name + ")";
      if (left > 0) {
        kept.set("replicas", left);
      } else {
        kept.erase("replicas");
      }
    }
    plan.clusters.push_back(std::move(kept));
  }
  if (total == 0) return std::nullopt;
  plan.message += ", " + std::to_string(total) + " total descheduled replica(s)";
  return plan;
}

}  // namespace flotilla::controllers
