// SPDX-License-Identifier: Apache-2.0
// How one cluster stands to one placement: everything of its identity that can decide where a binding with
// this placement goes. Two equal standings, before and after a change of the cluster: no such binding has
// another answer because of it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/scheduler/placement.hpp"

namespace flotilla::scheduler {

struct Standing {
  // Which affinities of the terms in question match, overflow tiers included.
  std::vector<bool> matches;
  std::int64_t weight = 0;  // of static rules
  bool tolerated = true;    // each taint that keeps workloads away
  bool deleting = false;
  // What it is spread by; kNoSym where nobody asks.
  Sym provider = kNoSym;
  Sym region = kNoSym;
  bool zones = false;
  Sym zone = kNoSym;   // the first
  Sym label = kNoSym;  // the value of the one to spread by
  bool operator==(const Standing&) const = default;

  bool matches_any() const;
};

// Terms of clusterAffinities from `first_term` on: that one alone, or with `further_terms` those behind it
// too. kNoRow: of a cluster that is not there, which matches nothing.
Standing standing_of(const ClusterTable& table, Row row, const Placement& placement, std::size_t first_term,
                     bool further_terms);

// Can the answer for a placement differ? Symbols are numbered by one builder.
bool differs(const Standing& before, const Standing& after);

}  // namespace flotilla::scheduler
