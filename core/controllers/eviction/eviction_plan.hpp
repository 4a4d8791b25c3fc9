// SPDX-License-Identifier: Apache-2.0
// Moving a workload off a cluster without losing it: graceful eviction tasks and what ends them, and for how
// long a placement tolerates the taints of a cluster. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

// The producer of tasks that taints call for, and the reason of those that unhealthy applications do.
inline constexpr std::string_view kTaintManager = "TaintManager";
inline constexpr std::string_view kApplicationFailure = "ApplicationFailure";

// What the tasks of a binding are judged by.
struct EvictionView {
  std::span<const api::Json> tasks;              // spec.gracefulEvictionTasks
  std::span<const api::Json> clusters;           // spec.clusters
  std::span<const api::Json> aggregated_status;  // status.aggregatedStatus
  bool scheduled = false;                        // the scheduler has seen this generation
  Duration timeout;                              // of tasks that name no gracePeriodSeconds
};

struct EvictionAssessment {
  api::Json kept = api::Json::array();    // the new spec.gracefulEvictionTasks
  std::vector<std::string> evicted;       // clusters that are to be cleaned now
  std::optional<Duration> look_again_in;  // until the first kept task times out; nothing where none ever does
};

// A task without creationTimestamp is given one and kept. suppressDeletion alone decides where it is set:
// true keeps, false ends. Else a task ends when its time is over, or when the scheduler has chosen and every
// target reports healthy: then the last healthy copy is no longer the one that goes. Errors: Invalid, a time
// that cannot be read.
Result<EvictionAssessment> assess_evictions(const EvictionView& view, WallTime now);

// How to record an eviction: members of a GracefulEvictionTask besides fromCluster and replicas {purgeMode,
// reason, message, producer, gracePeriodSeconds, suppressDeletion, preservedLabelState,
// clustersBeforeFailover}. Returns {clusters, gracefulEvictionTasks} of the binding's spec: `cluster` is no
// target any more and has one task, unless it has one already. What is no target is not evicted.
api::Json evict(const api::Json& binding_spec, std::string_view cluster, const api::Json& options);

// Writes what evict() answered into the binding; empty lists are no members.
void set_evicted(api::Json& binding, const api::Json& evicted);

// {clusters, gracefulEvictionTasks} of the spec after the evictions from `recovered` clusters are withdrawn:
// the task goes and the cluster is a target again, with the replicas it had. Where these have been given to
// other clusters already the eviction goes on; so it does where the old copy was purged, or where a person
// decides (suppressDeletion). Nullopt: nothing to withdraw.
std::optional<api::Json> withdraw_evictions(const api::Json& binding_spec,
                                            std::span<const std::string> recovered);

struct TolerationVerdict {
  std::size_t taints = 0;  // NoExecute taints of the cluster
  bool all_tolerated = true;
  std::vector<const api::Json*> used;  // the toleration of each tolerated taint, in the order of the taints
  // How long the cluster is still tolerated, where all taints are; nothing is for ever.
  std::optional<Duration> remaining;
};

// Only NoExecute taints count. Errors: Invalid, a time that cannot be read.
Result<TolerationVerdict> judge_taints(std::span<const api::Json> taints,
                                       std::span<const api::Json> tolerations, WallTime now);

// The labels that carry a workload's state over to the cluster it fails over to: each rule's JSONPath on the
// status that the failing member reported. Errors: Invalid, the path or what it looks for.
Result<api::Json> preserved_label_state(const api::Json& state_preservation, const api::Json& status);

}  // namespace flotilla::controllers
