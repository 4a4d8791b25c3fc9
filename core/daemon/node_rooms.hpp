// SPDX-License-Identifier: Apache-2.0
// From the nodes and pods that are followed on members to the estimator that counts on them.
#pragma once

#include <memory>

#include "core/cluster/registry.hpp"
#include "core/scheduler/node_estimator.hpp"

namespace flotilla::daemon {

// Knows a cluster once its nodes and pods were listed; counts anew only where they have changed. `clusters`
// outlives it.
std::unique_ptr<scheduler::Policy> make_node_estimator(const cluster::ClusterRegistry& clusters);

}  // namespace flotilla::daemon
