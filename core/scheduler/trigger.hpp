// SPDX-License-Identifier: Apache-2.0
// When scheduling runs, and what its outcome becomes on the binding.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/scheduler/decision.hpp"

namespace flotilla::scheduler {

// Does `placement` ask for another answer than the one that was applied? `applied` is the text of the
// annotation policy.karmada.io/applied-placement. Other terms than the one in use may change without
// consequence.
bool placement_changed(const api::Json& placement, std::string_view applied,
                       std::string_view observed_affinity);

// Do the targets carry other replicas than the binding wants? With the gate MultiplePodTemplatesScheduling, a
// binding of components without targets does too.
bool replicas_changed(const api::Json& spec, bool multiple_pod_templates = false);

// Was rescheduling triggered after the last time the binding was scheduled?
bool reschedule_required(const api::Json& spec, const api::Json& status);

// Is there a replicas count to divide, or requirements, or components?
bool is_workload(const api::Json& spec);

// Why the algorithm has to run for a binding; empty when it need not. `targets_deleting`: a current target
// cluster is being deleted. For logs and events; the order is that of the checks.
std::string_view schedule_reason(const api::Json& binding, bool targets_deleting,
                                 bool multiple_pod_templates = false);

// The condition Scheduled.
struct ScheduledCondition {
  bool scheduled = false;
  std::string_view reason;
  std::string message;
  bool ignore = false;  // not retried: nothing the scheduler could do differs next time
};

// The outcome of one try (no failure, or one), or of all terms of clusterAffinities that were tried in vain.
ScheduledCondition scheduled_condition(std::span<const Failure> failures);

}  // namespace flotilla::scheduler
