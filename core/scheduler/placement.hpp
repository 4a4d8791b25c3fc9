// SPDX-License-Identifier: Apache-2.0
// A Placement, read once; and what it comes to against one table, which is cached because many bindings share
// a placement and the labels of clusters rarely change.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/api/json.hpp"
#include "core/scheduler/affinity.hpp"
#include "core/scheduler/cluster_table.hpp"

namespace flotilla::scheduler {

struct Toleration {
  enum class Operator : std::uint8_t { Equal, Exists, Other };  // nothing matches Other
  std::string key;                                              // empty with Exists: all keys
  Operator op = Operator::Equal;
  std::string value;
  TaintEffect effect = TaintEffect::None;  // None: all effects
};

enum class SpreadField : std::uint8_t { None, Cluster, Region, Zone, Provider, Label };

struct SpreadConstraint {
  SpreadField field = SpreadField::None;
  std::string label;  // spreadByLabel
  std::int32_t min_groups = 0;
  std::int32_t max_groups = 0;
};

enum class Strategy : std::uint8_t { Duplicated, StaticWeight, DynamicWeight, Aggregated, Unknown };

struct StaticWeight {
  ClusterAffinity target;
  std::int64_t weight = 0;
};

struct Placement {
  std::string text;  // the compact JSON it was read from: equal text, equal placement
  std::optional<ClusterAffinity> affinity;
  std::vector<ClusterAffinity> affinities;  // clusterAffinities: ordered groups
  std::vector<Toleration> tolerations;
  std::vector<SpreadConstraint> spread;
  bool has_scheduling = false;  // replicaScheduling is there
  Strategy strategy = Strategy::Duplicated;
  bool has_weight_preference = false;
  std::vector<StaticWeight> static_weights;
  bool dynamic_weight = false;

  const SpreadConstraint* find_spread(SpreadField field) const;  // the last one counts
  // Spread constraints mean nothing where static weights divide.
  bool ignores_spread() const;
};

using PlacementPtr = std::shared_ptr<const Placement>;

PlacementPtr parse_placement(const api::Json& placement);

// Placements that many bindings share are read once. Thread: one at a time.
class PlacementPool {
 public:
  PlacementPtr get(const api::Json& placement);

 private:
  std::unordered_map<std::string, PlacementPtr> known_;  // by text
};

// The term that scheduling starts with: that of this name, else the first.
std::size_t affinity_index(const Placement& placement, std::string_view observed_name);

// A placement against the identities of one table.
struct CompiledPlacement {
  PlacementPtr placement;
  std::shared_ptr<const void> lineage;  // of the tables it can follow
  std::size_t rows = 0;
  std::uint64_t epoch = 0;
  std::optional<RowSet> affinity;
  // Per term of clusterAffinities: its own rows, then those of each overflow tier.
  std::vector<std::vector<RowSet>> affinities;
  std::vector<std::int64_t>
      weights;  // per row, the highest of the static rules that match; empty without rules
};

// Thread: one at a time.
class PlacementCache {
 public:
  // After a change of some clusters only the blocks of 64 rows they are in are matched again.
  const CompiledPlacement& get(const ClusterTable& table, const PlacementPtr& placement);

 private:
  std::unordered_map<std::string, CompiledPlacement> compiled_;  // by text
};

}  // namespace flotilla::scheduler
