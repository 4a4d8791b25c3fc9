// SPDX-License-Identifier: Apache-2.0
// What a set of changes would do: to bindings, to each cluster's objects, to replicas; and what would stand
// in the way. Nothing is written.
#pragma once

#include <string>
#include <vector>

#include "core/planning/reach.hpp"

namespace flotilla::planning {

struct PlanOptions {
  std::size_t details = 100;  // templates whose fields are shown; all others are only counted
  std::size_t fields = 40;    // per object
  Duration time = std::chrono::seconds(60);
};

// The answer of POST /flotilla/v1/plans (docs/plan.md). Its id is that of the world it depends on and of what
// was asked: the same again means that the same changes have the same consequences.
// Errors: TooLarge, Timeout; what stands in the way of a template is part of the answer.
// Thread: one that may block; one plan at a time per `sources`.
Result<Json> make_plan(const Sources& sources, const std::vector<Change>& changes,
                       const PlanOptions& options = {});

// Makes one of the changes in the fork, and what garbage collection would do on its account.
Status make_change(const Change& change, Rehearsal& rehearsal);

}  // namespace flotilla::planning
