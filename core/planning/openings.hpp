// SPDX-License-Identifier: Apache-2.0
// What would have to change for a cluster to get the workload: each obstacle with the change that lifts it,
// tried out with the scheduler on changed clusters and a changed binding, one after the other until the
// cluster is a target.
#pragma once

#include <string>

#include "core/planning/engine.hpp"

namespace flotilla::planning {

// {obstacles: [{policy, reason, change, command}], target: bool, replicas?, stuck?: text}.
// `stuck`: what stands in the way that no known change lifts. `policy`: of whoever owns the placement, as in
// policy_of(); for the commands.
Json what_would_have_to_change(const Sources& sources, const Json& binding, const std::string& cluster,
                               const std::string& policy);

}  // namespace flotilla::planning
