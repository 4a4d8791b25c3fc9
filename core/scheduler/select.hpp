// SPDX-License-Identifier: Apache-2.0
// Which of the clusters that fit are used: the step `select`, and what is said about groups in records.
#pragma once

#include <cstdint>
#include <flotilla/sdk/spread.hpp>
#include <span>
#include <vector>

#include "core/scheduler/policy.hpp"

namespace flotilla::scheduler {

using sdk::choose_groups;
using sdk::Group;

// The constraint that groups clusters: by region; `any`: else by provider, zone or label. Null: none does.
const SpreadConstraint* grouping(const Placement& placement, bool any);
// The group of a cluster: what it says of the constraint's property, of several zones the first. kNoSym: it
// is in none.
Sym group_of(const ClusterTable& table, const SpreadConstraint& by, Row row);

// Does the placement ask for spreading, and heeds its strategy that?
bool spreads(const Placement& placement);

// Leaves those candidates that the active policy chooses, in its order. Without such a policy all are chosen,
// unless constraints are in force: then that is a failure. False: `failure` is set.
bool select_clusters(const Workload& workload, const Policies& policies, std::vector<Candidate>& candidates,
                     Failure& failure);

// A region, or what else groups, with clusters that fit.
struct RegionInfo {
  Sym region = kNoSym;
  std::int64_t score = 0;
  std::int64_t available = 0;
  std::vector<std::uint32_t> members;  // positions among the candidates, in their order
};

// The groups of the candidates, which are in the order of order_candidates(), with their scores, best first:
// what the in-tree policy chooses from. For records.
std::vector<RegionInfo> group_by_region(const Workload& workload, std::span<const Candidate> candidates);

}  // namespace flotilla::scheduler
