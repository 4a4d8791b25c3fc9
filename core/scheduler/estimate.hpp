// SPDX-License-Identifier: Apache-2.0
// What replicas request in the units of a table, and how many of them each cluster can take.
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
// What one set of all these components requests together.
void resolve_set(const ClusterTable& table, std::span<const Component> components, ResolvedRequests& out);

class Policies;
struct Record;
struct Workload;

// Per row of `fits`, how many further replicas (whole_sets: whole sets of components) the cluster can take,
// by the least that any estimator says; those of which nobody knows anything get the binding's replicas. An
// estimator that fails or answers out of range is as if it had not been asked.
// `scratch` is memory to use; `record` may be null.
void estimate_room(const Workload& workload, const Policies& policies, std::span<const std::uint64_t> fits,
                   std::vector<std::int32_t>& room, std::vector<std::int64_t>& scratch, Record* record);

}  // namespace flotilla::scheduler
