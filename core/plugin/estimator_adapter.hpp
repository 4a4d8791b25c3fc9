// SPDX-License-Identifier: Apache-2.0
// A plugin instance of kind flotilla.estimator/1 as core/cluster sees it.
#pragma once

#include <memory>

#include "core/cluster/replica_estimator.hpp"
#include "core/plugin/error_budget.hpp"
#include "core/plugin/instance.hpp"

namespace flotilla::plugin {

struct EstimatorLimits {
  Duration grace = std::chrono::milliseconds(250);  // that an answer may be later than it was told to be
  ErrorBudgetLimits budget;
};

// Holds the instance. An answer that breaks the rules, that fails as a whole or comes too late is a fault;
// after too many the estimator rests (error_budget.hpp) and every question fails at once. Errors: Invalid for
// a component of another kind.
Result<std::shared_ptr<cluster::ReplicaEstimator>> adapt_estimator(std::shared_ptr<Instance> instance,
                                                                   const EstimatorLimits& limits = {});

}  // namespace flotilla::plugin
