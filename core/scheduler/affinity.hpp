// SPDX-License-Identifier: Apache-2.0
// ClusterAffinity over a whole table. (api::ClusterAffinity answers the same for one Cluster object.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/selector.hpp"
#include "core/scheduler/cluster_table.hpp"

namespace flotilla::scheduler {

// Everything given must match. A selector that Kubernetes refuses matches no cluster.
struct ClusterAffinity {
  std::string name;  // affinityName, in clusterAffinities
  bool refused = false;
  std::vector<api::Requirement> labels;
  std::vector<api::Requirement> fields;  // provider and region, as labels of their own
  std::vector<api::Requirement> zones;   // against the list of zones
  std::vector<std::string> cluster_names;
  std::vector<std::string> exclude;
  bool has_overflow = false;              // overflowAffinities is there, be it empty
  std::vector<ClusterAffinity> overflow;  // tried tier by tier when this one is full
};

ClusterAffinity parse_affinity(const api::Json& affinity);

// O(rows the names leave * requirements).
RowSet matching_rows(const ClusterTable& table, const ClusterAffinity& affinity);
// The same for the rows of some words of a set alone (64 rows each), as has_bit(blocks, word) says: writes
// those words of `rows` anew and leaves the others.
void match_blocks(const ClusterTable& table, const ClusterAffinity& affinity,
                  std::span<const std::uint64_t> blocks, RowSet& rows);
bool matches_row(const ClusterTable& table, Row row, const ClusterAffinity& affinity);

}  // namespace flotilla::scheduler
