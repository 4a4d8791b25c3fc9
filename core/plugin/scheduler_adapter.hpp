// SPDX-License-Identifier: Apache-2.0
// From a component of kind flotilla.scheduler/1 to a scheduler::Policy.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/plugin/error_budget.hpp"
#include "core/plugin/instance.hpp"
#include "core/scheduler/policy.hpp"

namespace flotilla::plugin {

struct SchedulerPolicyLimits {
  SteadyTime::duration longest_call = std::chrono::seconds(1);  // a later answer counts as a fault
  ErrorBudgetLimits budget;
  ErrorBudgetLimits hangs = {.faults = 2, .window = std::chrono::minutes(10), .rest = {}};
  // A call did not return and was given up; `left_out`: it takes part in nothing from now on. Any thread.
  std::function<void(const std::string& component, const std::string& what, bool left_out)> on_hang;
};

// The policy keeps the instance. It is bound at the first table it is shown. What goes wrong in a call is an
// error and a fault; after too many faults the policy rests (error_budget.hpp): what it would decide fails at
// once, its scores and estimates are left out. One that hangs too often, or still does when clusters change,
// is left out of everything until the daemon starts anew. Errors: Invalid for a component of another kind.
Result<std::unique_ptr<scheduler::Policy>> make_scheduler_policy(std::shared_ptr<Instance> instance,
                                                                 const SchedulerPolicyLimits& limits = {});

}  // namespace flotilla::plugin
