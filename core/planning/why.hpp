// SPDX-License-Identifier: Apache-2.0
// Why a template is where it is, and not where it is not: claim, policies, the scheduler's verdict on every
// cluster, the state of each Work, what was removed and for what cause; and what to do next.
#pragma once

#include <string>

#include "core/planning/decisions.hpp"
#include "core/planning/subject.hpp"

namespace flotilla::planning {

struct WhyQuestion {
  std::string only;   // what is said of clusters is said of this one alone, and what would have to change
                      // for it to be a target; empty: of all
  bool diff = false;  // what changed from the last decision but one to the last
  DecisionsPtr decisions;  // about the binding; null: none are known
};

// What is said of clusters is what the last decision found, as it was recorded; where the scheduler would say
// something else now, that too. Errors: NotFound (the cluster). Thread: as Sources::policies.
Result<Json> explain(const Sources& sources, const Subject& subject, const WhyQuestion& question);

}  // namespace flotilla::planning
