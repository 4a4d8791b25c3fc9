// SPDX-License-Identifier: Apache-2.0
// Which of the clusters that fit are used: selection by spread constraints.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/scheduler/cluster_table.hpp"
#include "core/scheduler/decision.hpp"
#include "core/scheduler/placement.hpp"

namespace flotilla::scheduler {

struct SelectInput {
  const ClusterTable* table = nullptr;
  const Placement* placement = nullptr;
  std::int32_t replicas = 0;
  bool one_set = false;  // one whole set of components is asked for, whatever `replicas` says
};

// A region with clusters that fit.
struct RegionInfo {
  Sym region = kNoSym;
  std::int64_t score = 0;
  std::int64_t available = 0;
  std::vector<std::uint32_t> members;  // positions among the candidates, in their order
};

// Does selection look at the order of candidates at all?
bool spreads(const Placement& placement);

// `candidates` in the order of order_candidates(). Leaves the chosen ones, in order. Errors: Internal with
// the text of the condition.
Status select_clusters(const SelectInput& input, std::vector<Candidate>& candidates);

// The regions of the candidates, with their scores, best first. For select_clusters and for the record.
std::vector<RegionInfo> group_by_region(const SelectInput& input, std::span<const Candidate> candidates);

// A group to choose from: `value` clusters, of `weight`.
struct Group {
  std::string_view name;
  std::int64_t value = 0;
  std::int64_t weight = 0;
};

// The best combination of min_groups..max_groups groups that together have `target` clusters: positions in
// `groups`, best group first. Empty when there is none.
std::vector<std::uint32_t> choose_groups(std::span<const Group> groups, std::int32_t min_groups,
                                         std::int32_t max_groups, std::int64_t target);

}  // namespace flotilla::scheduler
