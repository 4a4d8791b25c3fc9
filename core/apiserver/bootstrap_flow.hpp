// SPDX-License-Identifier: Apache-2.0
// The flow schemas and priority levels that a Kubernetes server of 1.32 begins with.
#pragma once

#include <vector>

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

std::vector<Json> priority_levels(WallTime now);
std::vector<Json> flow_schemas(WallTime now);

}  // namespace flotilla::apiserver
