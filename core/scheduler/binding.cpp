// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/binding.hpp"

#include "core/scheduler/trigger.hpp"

namespace flotilla::scheduler {

using api::Json;

std::vector<Request> parse_requests(const Json& requirements) {
  std::vector<Request> requests;
  for (auto [resource, value] : requirements["resourceRequest"].members()) {
    auto amount = api::Quantity::from_json(value);
    if (amount && amount->sign() > 0) requests.push_back({std::string(resource), *amount});
  }
  return requests;
}

Binding parse_binding(const Json& spec, const Json& status) {
  Binding binding;
  const Json& resource = spec["resource"];
  binding.api_version = resource["apiVersion"].as_string();
  binding.kind = resource["kind"].as_string();
  binding.resource_namespace = resource["namespace"].as_string();
  binding.resource_name = resource["name"].as_string();
  binding.uid = resource["uid"].as_string();
  binding.replicas = static_cast<std::int32_t>(spec["replicas"].as_int());
  binding.has_requirements = spec["replicaRequirements"].is_object();
  binding.requests = parse_requests(spec["replicaRequirements"]);
  for (const Json& component : spec["components"].elements()) {
    binding.components.push_back({std::string(component["name"].as_string()),
                                  static_cast<std::int32_t>(component["replicas"].as_int()),
                                  parse_requests(component["replicaRequirements"])});
  }
  for (const Json& cluster : spec["clusters"].elements()) {
    binding.clusters.push_back(
        {std::string(cluster["name"].as_string()), static_cast<std::int32_t>(cluster["replicas"].as_int())});
  }
  for (const Json& task : spec["gracefulEvictionTasks"].elements()) {
    binding.evicting.emplace_back(task["fromCluster"].as_string());
  }
  binding.priority = static_cast<std::int32_t>(spec["schedulePriority"]["priority"].as_int());
  binding.has_placement = spec["placement"].is_object();
  binding.placement = parse_placement(spec["placement"]);
  binding.observed_affinity = status["schedulerObservingAffinityName"].as_string();
  binding.reschedule = reschedule_required(spec, status);
  return binding;
}

}  // namespace flotilla::scheduler
