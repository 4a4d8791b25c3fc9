// SPDX-License-Identifier: Apache-2.0
// What a decision becomes on its binding: targets, annotation, condition, why clusters lost the workload.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/api/removal_cause.hpp"
#include "core/base/clock.hpp"
#include "core/scheduler/cluster_table.hpp"
#include "core/scheduler/decision.hpp"
#include "core/scheduler/trigger.hpp"

namespace flotilla::controllers {

// spec.clusters; each target with a copy of `components` where the decision is about whole sets of them.
api::Json targets_of(const scheduler::Decision& decision, const scheduler::ClusterTable& table,
                     const api::Json& components);
// "{member1:2, member2:1}", as the event shows it.
std::string result_text(const api::Json& targets);
// Why clusters that had the workload are not chosen any more.
api::RemovalCause cause_of_removal(std::string_view reason, const scheduler::ScheduledCondition& condition,
                                   WallTime now);

// The clusters and the placement they were chosen for. `generation` becomes the one that the write will give
// the binding. True if something changed.
bool set_result(api::Json& binding, const api::Json& targets, const std::string& placement,
                const api::RemovalCause& cause, std::int64_t& generation);
// Does the binding say already what was decided again? Then its last decision is still the one of back then.
bool is_said(const api::Json& status, const scheduler::ScheduledCondition& condition,
             const std::string& affinity, std::int64_t generation);
// The condition Scheduled and, on success, when and for which generation. True if something changed.
bool set_outcome(api::Json& binding, const scheduler::ScheduledCondition& condition,
                 const std::string& affinity, std::int64_t generation, WallTime now);

}  // namespace flotilla::controllers
