// SPDX-License-Identifier: Apache-2.0
// What the spec of a ResourceBinding or ClusterResourceBinding says about clusters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::api {

struct TargetCluster {
  std::string name;
  std::int64_t replicas = 0;
  bool operator==(const TargetCluster&) const = default;
};

// Where the resource goes: spec.clusters, then the clusters of those that require it, each once.
std::vector<TargetCluster> targets_of(const Json& binding);
// The clusters that a binding keeps Works in: its targets, and those being evicted from gracefully.
// Ascending.
std::vector<std::string> clusters_with_works(const Json& binding);
// An eviction task whose Work goes at once.
bool purges_directly(const Json& task);
// Clusters whose Works go at once (eviction tasks with purge mode Directly).
std::vector<std::string> clusters_purged_directly(const Json& binding);

}  // namespace flotilla::api
