// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/binding.hpp"

#include <algorithm>

#include "core/scheduler/trigger.hpp"

namespace flotilla::scheduler {

using api::Json;

namespace {

// Numbers of replicas and groups are 32-bit in the API; whatever else got in counts as the nearest of those.
std::int32_t saturated(const Json& number) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(number.as_int(), 0, INT32_MAX));
}

}  // namespace

std::vector<Request> parse_requests(const Json& requirements) {
  std::vector<Request> requests;
  for (auto [resource, value] : requirements["resourceRequest"].members()) {
    auto amount = api::Quantity::from_json(value);
    if (amount && amount->sign() > 0) requests.push_back({std::string(resource), *amount});
  }
  return requests;
}

Binding parse_binding(const Json& spec, const Json& status, PlacementPool* pool) {
  Binding binding;
  const Json& resource = spec["resource"];
  binding.api_version = resource["apiVersion"].as_string();
  binding.kind = resource["kind"].as_string();
  binding.resource_namespace = resource["namespace"].as_string();
  binding.resource_name = resource["name"].as_string();
  binding.uid = resource["uid"].as_string();
  binding.replicas = saturated(spec["replicas"]);
  binding.has_requirements = spec["replicaRequirements"].is_object();
  binding.requests = parse_requests(spec["replicaRequirements"]);
  for (const Json& component : spec["components"].elements()) {
    binding.components.push_back(
        {std::string(component["name"].as_string()), saturated(component["replicas"]),
         parse_requests(component["replicaRequirements"]),
         component["replicaRequirements"].is_object() ? component["replicaRequirements"].dump()
                                                      : std::string()});
  }
  for (const Json& cluster : spec["clusters"].elements()) {
    binding.clusters.push_back({std::string(cluster["name"].as_string()), saturated(cluster["replicas"])});
  }
  for (const Json& task : spec["gracefulEvictionTasks"].elements()) {
    binding.evicting.emplace_back(task["fromCluster"].as_string());
  }
  binding.priority = static_cast<std::int32_t>(spec["schedulePriority"]["priority"].as_int());
  binding.has_placement = spec["placement"].is_object();
  binding.placement = pool != nullptr ? pool->get(spec["placement"]) : parse_placement(spec["placement"]);
  binding.observed_affinity = status["schedulerObservingAffinityName"].as_string();
  binding.reschedule = reschedule_required(spec, status);
  const Json& groups = spec["workloadAffinityGroups"];
  binding.affinity_group = groups["affinityGroup"].as_string();
  binding.anti_affinity_group = groups["antiAffinityGroup"].as_string();
  if (binding.has_requirements) binding.requirements_text = spec["replicaRequirements"].dump();
  return binding;
}

}  // namespace flotilla::scheduler
