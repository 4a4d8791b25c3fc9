// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/placement.hpp"

#include <algorithm>

namespace flotilla::scheduler {
namespace {

using api::Json;

// Placements a cache holds before it starts again: more than a fleet has policies, and at 5,000 clusters some
// MB.
constexpr std::size_t kCacheLimit = 4096;

Toleration parse_toleration(const Json& json) {
  Toleration toleration;
  toleration.key = json["key"].as_string();
  toleration.value = json["value"].as_string();
  std::string_view op = json["operator"].as_string();
  toleration.op = op.empty() || op == "Equal" ? Toleration::Operator::Equal
                  : op == "Exists"            ? Toleration::Operator::Exists
                                              : Toleration::Operator::Other;
  std::string_view effect = json["effect"].as_string();
  toleration.effect = effect == "NoSchedule"         ? TaintEffect::NoSchedule
                      : effect == "PreferNoSchedule" ? TaintEffect::PreferNoSchedule
                      : effect == "NoExecute"        ? TaintEffect::NoExecute
                                                     : TaintEffect::None;
  if (!effect.empty() && toleration.effect == TaintEffect::None) toleration.op = Toleration::Operator::Other;
  return toleration;
}

SpreadConstraint parse_spread(const Json& json) {
  SpreadConstraint constraint;
  std::string_view field = json["spreadByField"].as_string();
  constraint.label = json["spreadByLabel"].as_string();
  constraint.field = field == "cluster"          ? SpreadField::Cluster
                     : field == "region"         ? SpreadField::Region
                     : field == "zone"           ? SpreadField::Zone
                     : field == "provider"       ? SpreadField::Provider
                     : !constraint.label.empty() ? SpreadField::Label
                                                 : SpreadField::None;
  constraint.min_groups =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(json["minGroups"].as_int(), INT32_MIN, INT32_MAX));
  constraint.max_groups =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(json["maxGroups"].as_int(), INT32_MIN, INT32_MAX));
  return constraint;
}

void parse_scheduling(const Json& scheduling, Placement& placement) {
  placement.has_scheduling = scheduling.is_object();
  if (!placement.has_scheduling) return;
  const Json& weights = scheduling["weightPreference"];
  placement.has_weight_preference = weights.is_object();
  placement.dynamic_weight = !weights["dynamicWeight"].as_string().empty();
  for (const Json& rule : weights["staticWeightList"].elements()) {
    placement.static_weights.push_back({parse_affinity(rule["targetCluster"]), rule["weight"].as_int()});
  }
  std::string_view type = scheduling["replicaSchedulingType"].as_string();
  std::string_view preference = scheduling["replicaDivisionPreference"].as_string();
  if (type == "Duplicated") {
    placement.strategy = Strategy::Duplicated;
  } else if (type == "Divided" && preference == "Aggregated") {
    placement.strategy = Strategy::Aggregated;
  } else if (type == "Divided" && preference == "Weighted") {
    placement.strategy = placement.dynamic_weight ? Strategy::DynamicWeight : Strategy::StaticWeight;
  } else {
    placement.strategy = Strategy::Unknown;
  }
}

std::vector<std::int64_t> weigh_rows(const ClusterTable& table, const Placement& placement) {
  std::vector<std::int64_t> weights;
  if (placement.static_weights.empty()) return weights;
  weights.assign(table.size(), 0);
  for (const StaticWeight& rule : placement.static_weights) {
    matching_rows(table, rule.target).for_each([&](Row row) {
      weights[row] = std::max(weights[row], rule.weight);
    });
  }
  return weights;
}

CompiledPlacement compile(const ClusterTable& table, const PlacementPtr& placement) {
  CompiledPlacement compiled{placement, table.blocks().lineage, table.size(), table.epoch(), {}, {}, {}};
  if (placement->affinity) compiled.affinity = matching_rows(table, *placement->affinity);
  for (const ClusterAffinity& term : placement->affinities) {
    std::vector<RowSet>& tiers = compiled.affinities.emplace_back();
    tiers.push_back(matching_rows(table, term));
    for (const ClusterAffinity& tier : term.overflow) tiers.push_back(matching_rows(table, tier));
  }
  compiled.weights = weigh_rows(table, *placement);
  return compiled;
}

void weigh_blocks(const ClusterTable& table, std::span<const std::uint64_t> blocks,
                  CompiledPlacement& compiled) {
  if (compiled.weights.empty()) return;
  for_each_row(blocks, [&](Row block) {
    const std::size_t last = std::min(table.size(), (std::size_t{block} + 1) * 64);
    std::fill(compiled.weights.begin() + block * 64,
              compiled.weights.begin() + static_cast<std::ptrdiff_t>(last), 0);
  });
  for (const StaticWeight& rule : compiled.placement->static_weights) {
    RowSet rows(table.size());
    match_blocks(table, rule.target, blocks, rows);
    rows.for_each([&](Row row) { compiled.weights[row] = std::max(compiled.weights[row], rule.weight); });
  }
}

void refresh(const ClusterTable& table, CompiledPlacement& compiled) {
  const std::vector<std::uint64_t>& epochs = table.blocks().epochs;
  RowSet stale(epochs.size());
  for (Row block = 0; block < epochs.size(); ++block) {
    if (epochs[block] > compiled.epoch) stale.add(block);
  }
  const std::span<const std::uint64_t> blocks = stale.words();
  const Placement& placement = *compiled.placement;
  if (!stale.empty()) {
    if (placement.affinity) match_blocks(table, *placement.affinity, blocks, *compiled.affinity);
    for (std::size_t i = 0; i < placement.affinities.size(); ++i) {
      const ClusterAffinity& term = placement.affinities[i];
      match_blocks(table, term, blocks, compiled.affinities[i][0]);
      for (std::size_t tier = 0; tier < term.overflow.size(); ++tier) {
        match_blocks(table, term.overflow[tier], blocks, compiled.affinities[i][tier + 1]);
      }
    }
    weigh_blocks(table, blocks, compiled);
  }
  compiled.epoch = table.epoch();
}

}  // namespace

const SpreadConstraint* Placement::find_spread(SpreadField field) const {
  for (auto constraint = spread.rbegin(); constraint != spread.rend(); ++constraint) {
    if (constraint->field == field) return &*constraint;
  }
  return nullptr;
}

bool Placement::ignores_spread() const {
  if (strategy != Strategy::StaticWeight && strategy != Strategy::DynamicWeight) return false;
  return !has_weight_preference || (!static_weights.empty() && !dynamic_weight);
}

static PlacementPtr parse_placement(const Json& json, std::string text) {
  auto placement = std::make_shared<Placement>();
  placement->text = std::move(text);
  if (json["clusterAffinity"].is_object()) placement->affinity = parse_affinity(json["clusterAffinity"]);
  for (const Json& term : json["clusterAffinities"].elements()) {
    placement->affinities.push_back(parse_affinity(term));
  }
  for (const Json& toleration : json["clusterTolerations"].elements()) {
    placement->tolerations.push_back(parse_toleration(toleration));
  }
  for (const Json& constraint : json["spreadConstraints"].elements()) {
    placement->spread.push_back(parse_spread(constraint));
  }
  parse_scheduling(json["replicaScheduling"], *placement);
  return placement;
}

PlacementPtr parse_placement(const Json& json) {
  return parse_placement(json, json.dump());
}

PlacementPtr PlacementPool::get(const Json& json) {
  std::string text = json.dump();
  const auto found = known_.find(text);
  if (found != known_.end()) return found->second;
  if (known_.size() >= kCacheLimit) known_.clear();
  PlacementPtr placement = parse_placement(json, text);
  known_.emplace(std::move(text), placement);
  return placement;
}

std::size_t affinity_index(const Placement& placement, std::string_view observed_name) {
  auto found = std::find_if(placement.affinities.begin(), placement.affinities.end(),
                            [&](const ClusterAffinity& term) { return term.name == observed_name; });
  if (observed_name.empty() || found == placement.affinities.end()) return 0;
  return static_cast<std::size_t>(found - placement.affinities.begin());
}

const CompiledPlacement& PlacementCache::get(const ClusterTable& table, const PlacementPtr& placement) {
  auto found = compiled_.find(placement->text);
  if (found != compiled_.end()) {
    CompiledPlacement& known = found->second;
    if (known.epoch == table.epoch() && known.lineage == table.blocks().lineage) return known;
    const bool follows =
        known.lineage == table.blocks().lineage && known.rows == table.size() && known.epoch < table.epoch();
    if (follows) {
      refresh(table, known);
    } else {
      known = compile(table, placement);
    }
    return known;
  }
  if (compiled_.size() >= kCacheLimit) compiled_.clear();
  return compiled_.emplace(placement->text, compile(table, placement)).first->second;
}

}  // namespace flotilla::scheduler
