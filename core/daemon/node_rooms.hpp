// SPDX-License-Identifier: Apache-2.0
// From what is followed on members to the estimators that are built in: nodes and pods, and ResourceQuotas.
#pragma once

#include <memory>
#include <vector>

#include "core/async/metrics.hpp"
#include "core/base/clock.hpp"
#include "core/cluster/registry.hpp"
#include "core/scheduler/policy.hpp"

namespace flotilla::daemon {

// node_estimator, and with `quotas` quota_estimator. They know a cluster once its objects were listed, look
// for changes once a second at most, and count anew only where something has changed. What is passed outlives
// them; `metrics` may be null.
std::vector<std::unique_ptr<scheduler::Policy>> make_built_in_estimators(
    const cluster::ClusterRegistry& clusters, const Clock& clock, bool quotas, Metrics* metrics);

}  // namespace flotilla::daemon
