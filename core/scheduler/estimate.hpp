// SPDX-License-Identifier: Apache-2.0
// The general estimator: how many replicas a cluster can take, by what its status says about its nodes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/scheduler/binding.hpp"
#include "core/scheduler/cluster_table.hpp"

namespace flotilla::scheduler {

// Requests in the units of a table.
struct ResolvedRequests {
  std::vector<std::int64_t> per_resource;  // by resource of the table; 0: not requested
  bool unknown = false;                    // something is requested that no cluster has
  bool given = false;                      // there are requirements at all
};

// `out` is reused.
void resolve_requests(const ClusterTable& table, std::span<const Request> requests, bool given,
                      ResolvedRequests& out);

// Per row of `rows`, the number of further replicas, 0..INT32_MAX. O(rows * requested resources).
void estimate_replicas(const ClusterTable& table, const ResolvedRequests& requests,
                       std::span<const std::uint64_t> rows, std::span<std::int32_t> replicas);

// Per row, the number of whole sets of these components.
void estimate_component_sets(const ClusterTable& table, std::span<const Component> components,
                             std::span<const std::uint64_t> rows, std::span<std::int32_t> sets);

}  // namespace flotilla::scheduler
