// SPDX-License-Identifier: Apache-2.0
// What may follow of a change beyond its plan, because it depends on what members will report or on the
// clock: said where it can happen, so that nobody takes the plan for more than it is.
#pragma once

#include <map>
#include <vector>

#include "core/planning/effects.hpp"
#include "core/planning/reach.hpp"

namespace flotilla::planning {

// {apiVersion, kind, name, message} each.
Json left_out(const Sources& sources, const std::vector<Change>& changes,
              const std::map<ObjectKey, TemplateEffect>& effects);

}  // namespace flotilla::planning
