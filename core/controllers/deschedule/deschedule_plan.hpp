// SPDX-License-Identifier: Apache-2.0
// Which replicas of a binding its clusters cannot run, and what is left of its targets without them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"

namespace flotilla::controllers {

// Only Deployments whose applied placement divides by room lose replicas: the scheduler will find others for
// them.
bool is_deschedulable(const api::Json& binding);

// A target with fewer ready replicas than it was assigned.
struct UndesiredCluster {
  std::string name;
  std::int64_t assigned = 0;
  std::int64_t ready = -1;  // -1: its status says nothing
  std::int64_t unschedulable = 0;
};
std::vector<UndesiredCluster> undesired_clusters(const api::Json& binding);

// Pods (as cluster_status trims them) that no node has taken for `threshold`, by the ReplicaSet they belong
// to.
struct UnschedulablePods {
  std::string ns;
  std::string replica_set;
  std::int64_t count = 0;
};
std::vector<UnschedulablePods> unschedulable_pods(std::span<const api::Json> pods, std::string_view ns,
                                                  Duration threshold, WallTime now);
// Is this the ReplicaSet that the Deployment is at?
bool is_current(const api::Json& replica_set, const api::Json& deployment);

// spec.clusters without the replicas that cannot run, never fewer than are ready; and what is said of it.
// Nullopt: nothing is to be taken.
struct Descheduling {
  api::Json clusters;
  std::string message;
};
std::optional<Descheduling> plan_descheduling(const api::Json& binding,
                                              std::span<const UndesiredCluster> undesired);

}  // namespace flotilla::controllers
