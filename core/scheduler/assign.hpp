// SPDX-License-Identifier: Apache-2.0
// How many replicas each selected cluster gets: the step `assign`, whose answer is checked here.
#pragma once

#include <span>
#include <vector>

#include "core/scheduler/policy.hpp"

namespace flotilla::scheduler {

// Targets by ascending row, without those that get none. `selected` is in the order of selection. Without a
// policy that assigns, only duplicating works. `failure` is set on failure; its message
// is what comes behind "failed to assign replicas: ".
std::vector<Target> assign_replicas(const Workload& workload, const Policies& policies,
                                    std::span<const Candidate> selected, Failure& failure);

}  // namespace flotilla::scheduler
