// SPDX-License-Identifier: Apache-2.0
// What a Cluster's status says about the nodes and pods of the member. Pure.
#pragma once

#include <span>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

// ClusterStatus.nodeSummary {totalNum, readyNum}.
api::Json node_summary(std::span<const api::Json> nodes);

// ClusterStatus.resourceSummary:
//   allocatable  sum over all nodes, ready or not
//   allocating   requests of the pods that no node has yet
//   allocated    requests of the pods on nodes that have not ended
//   allocatableModelings  how many nodes are in which grade of spec.resourceModels, where the cluster has
//   models
// Amounts that are all zero are left out. Errors: Invalid, a quantity that cannot be read.
Result<api::Json> resource_summary(const api::Json& cluster_spec, std::span<const api::Json> nodes,
                                   std::span<const api::Json> pods);

}  // namespace flotilla::controllers
