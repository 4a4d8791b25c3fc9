// SPDX-License-Identifier: Apache-2.0
// What would stand in the way, each with what to do about it.
#pragma once

#include <vector>

#include "core/planning/reach.hpp"

namespace flotilla::planning {

// [{apiVersion, kind, namespace?, name, reason, message, next}], each fact once.
Json problems_of(const Sources& sources, const std::vector<Change>& changes, Rehearsal& rehearsal);

// Whether the detector looks at objects like this one at all.
bool is_propagated_kind(const Sources& sources, const Json& object);

}  // namespace flotilla::planning
