// SPDX-License-Identifier: Apache-2.0
// LimitRange: what containers get that say nothing, and what pods and claims may not ask for.
#pragma once

#include <string>

#include "core/api/json.hpp"

namespace flotilla::api {

// Gives requests and limits to the containers of a pod, and notes them in an annotation.
void apply_limit_defaults(const Json& limit_range, Json& pod);

// Empty, or what is wrong, several faults as "[a, b]".
std::string check_pod_limits(const Json& limit_range, const Json& pod);
std::string check_claim_limits(const Json& limit_range, const Json& claim);

}  // namespace flotilla::api
