// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/api/json.hpp"

namespace flotilla::controllers {

// Whether a Remedy speaks of this cluster: no clusterAffinity means all.
bool remedy_concerns(const api::Json& remedy, std::string_view cluster);

// status.remedyActions of a cluster: the actions of all remedies that speak of it and of which any decision
// match holds (no matches at all: always), sorted, each once. Pure.
api::Json remedy_actions(const std::vector<api::Json>& remedies, const api::Json& cluster);

}  // namespace flotilla::controllers
