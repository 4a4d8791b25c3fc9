// SPDX-License-Identifier: Apache-2.0
// Karmada's feature gates, named as there, with the defaults of 1.19. What stands behind a gate that is off
// is not done at all.
#pragma once

namespace flotilla::api {

struct FeatureGates {
  bool failover = false;
  bool graceful_eviction = true;
  bool propagate_deps = true;
  bool customized_cluster_resource_modeling = true;
  bool propagation_policy_preemption = false;
  bool multi_cluster_service = false;
  bool resource_quota_estimate = false;
  bool stateful_failover_injection = false;
  bool priority_based_scheduling = true;
  bool federated_quota_enforcement = false;
  bool controller_priority_queue = true;
  bool multiple_pod_templates_scheduling = false;
  bool workload_affinity = false;
  bool scheduling_overcommit_protection = false;
  // Not Karmada's: spread constraints by label, provider and zone choose clusters as those by region do.
  bool spread_by_label = false;
};

}  // namespace flotilla::api
