// SPDX-License-Identifier: Apache-2.0
// What scheduling reads of a ResourceBinding or ClusterResourceBinding, taken out of JSON once per change.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/scheduler/placement.hpp"
#include "core/scheduler/request.hpp"

namespace flotilla::scheduler {

class EstimateSheet;

struct Component {
  std::string name;
  std::int32_t replicas = 0;
  std::vector<Request> requests;
  std::string requirements_text = {};  // replicaRequirements as JSON; empty where it has none
};

struct TargetCluster {
  std::string name;
  std::int32_t replicas = 0;
};

struct Binding {
  // spec.resource
  std::string api_version;
  std::string kind;
  std::string resource_namespace;
  std::string resource_name;
  std::string uid;

  std::int32_t replicas = 0;
  bool has_requirements = false;  // replicaRequirements is there, be it empty
  std::vector<Request> requests;
  std::vector<Component> components;
  std::vector<TargetCluster> clusters;  // the previous answer
  std::vector<std::string> evicting;    // gracefulEvictionTasks[].fromCluster
  std::int32_t priority = 0;
  PlacementPtr placement;  // never null; `has_placement` tells an absent one from an empty one
  bool has_placement = false;
  std::string observed_affinity;  // status.schedulerObservingAffinityName: the term in use
  bool reschedule = false;        // rescheduling was triggered after the last time
  // spec.workloadAffinityGroups; the binding itself as "namespace/name", by which it is left out of its
  // group.
  std::string affinity_group;
  std::string anti_affinity_group;
  std::string self;
  std::string requirements_text;  // spec.replicaRequirements as JSON; empty where it has none
  // Answers of estimators that have to be asked (asked_estimates.hpp); null: nobody is asked.
  std::shared_ptr<EstimateSheet> estimates;

  bool is_workload() const { return replicas > 0 || has_requirements || !components.empty(); }
};

// `pool`: where placements that were read before are found; null: read anew.
Binding parse_binding(const api::Json& spec, const api::Json& status, PlacementPool* pool = nullptr);
std::vector<Request> parse_requests(const api::Json& requirements);

}  // namespace flotilla::scheduler
