// SPDX-License-Identifier: Apache-2.0
// What one replica of a pod template demands of a cluster. Used natively and by the functions that
// customisation scripts are given.
#pragma once

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::interpreter {

// ReplicaRequirements {nodeClaim?, resourceRequest?, priorityClassName?} of a pod template {metadata, spec};
// null when it demands nothing.
Result<api::Json> pod_requirements(const api::Json& pod_template, bool with_priority_class);

}  // namespace flotilla::interpreter
