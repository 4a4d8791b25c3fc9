// SPDX-License-Identifier: Apache-2.0
// Who would gain and who would lose replicas if clusters were lost, tainted or added, a workload scaled, or
// manifests applied: the scheduler asked about every binding that this concerns, over changed clusters.
// Nothing is written. Changed manifests go the way of a plan first (plan.hpp), on a fork of the store.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "core/planning/reach.hpp"

namespace flotilla::planning {

struct TaintChange {
  std::string cluster;
  Json taint;  // {key, value?, effect}
  bool removes = false;
};

struct SimulationQuestion {
  std::vector<Change> changes;      // manifests, admitted
  std::optional<ObjectKey> scaled;  // of a template ...
  StoredKind scaled_kind;
  std::int64_t replicas = 0;  // ... to so many
  std::vector<std::string> lost;
  std::vector<TaintChange> taints;
  std::vector<Json> added;  // Clusters: new ones, or as they would become
  bool anew = false;        // replicas are divided anew, as WorkloadRebalancer does it
  std::size_t details = 100;
  Duration time = std::chrono::seconds(60);
};

// Watched while it runs.
struct SimulationProgress {
  std::atomic<std::size_t> looked{0}, of{0};
};

// {kind: Simulation, summary, clusters: [{cluster, replicas: {before, after}, objects: {before, after}}],
// templates: [{..., moves: [{cluster, before?, after?}], unplaceable?}], notes}. Errors: NotFound (what is
// named), Timeout, TooLarge. Thread: as Sources::policies.
Result<Json> simulate(const Sources& sources, const SimulationQuestion& question,
                      SimulationProgress& progress);

// The body of POST /flotilla/v1/simulations without its manifests. Errors: BadRequest.
Result<SimulationQuestion> read_simulation(const Json& body);

}  // namespace flotilla::planning
