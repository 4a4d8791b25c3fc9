// SPDX-License-Identifier: Apache-2.0
// From a component of kind flotilla.scheduler/1 to a scheduler::Policy.
#pragma once

#include <memory>

#include "core/base/result.hpp"
#include "core/plugin/error_budget.hpp"
#include "core/plugin/instance.hpp"
#include "core/scheduler/policy.hpp"

namespace flotilla::plugin {

struct SchedulerPolicyLimits {
  SteadyTime::duration longest_call = std::chrono::seconds(1);  // a later answer counts as a fault
  ErrorBudgetLimits budget;
};

// The policy keeps the instance. It is bound at the first table it is shown. What goes wrong in a call is an
// error and a fault; after too many faults the policy rests (error_budget.hpp): what it would decide fails at
// once, its scores and estimates are left out. Errors: Invalid for a component of another kind.
Result<std::unique_ptr<scheduler::Policy>> make_scheduler_policy(std::shared_ptr<Instance> instance,
                                                                 const SchedulerPolicyLimits& limits = {});

}  // namespace flotilla::plugin
