// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/resolve.hpp"

#include "core/scheduler/select.hpp"

namespace flotilla::scheduler {

struct Resolver::State {
  PlacementCache placements;
  Workload workload;
  RowSet targets;
  RowSet evicting;
  RowSet affinity_group;
  RowSet anti_affinity_group;
  std::vector<std::span<const std::uint64_t>> affinity;
  std::vector<SymToleration> tolerations;
  std::vector<Target> previous;
  ResolvedRequests requests;
  std::vector<ResolvedRequests> components;
  ResolvedRequests set_requests;

  void resolve_rows(const ClusterTable& table, const Binding& binding, const AffinityGroups* groups);
  void resolve_placement(const ClusterTable& table, const Binding& binding);
  void resolve_all_requests(const ClusterTable& table, const Binding& binding);
};

Resolver::Resolver() : state_(std::make_unique<State>()) {}
Resolver::~Resolver() = default;
Resolver::Resolver(Resolver&&) noexcept = default;
Resolver& Resolver::operator=(Resolver&&) noexcept = default;

namespace {

// Pod templates are scheduled as whole sets, and only onto a single cluster.
bool places_whole_sets(const Binding& binding, const ResolveOptions& options) {
  const SpreadConstraint* constraint = binding.placement->find_spread(SpreadField::Cluster);
  return options.multiple_pod_templates && !binding.components.empty() && constraint != nullptr &&
         constraint->min_groups == 1 && constraint->max_groups == 1;
}

}  // namespace

// Where the binding is, where it leaves, and where the others of its groups are.
void Resolver::State::resolve_rows(const ClusterTable& table, const Binding& binding,
                                   const AffinityGroups* groups) {
  targets.reset(table.size());
  evicting.reset(table.size());
  previous.clear();
  for (const TargetCluster& target : binding.clusters) {
    Row row = table.find(target.name);
    if (row == kNoRow) continue;
    targets.add(row);
    previous.push_back({row, target.replicas});
  }
  for (const std::string& name : binding.evicting) {
    Row row = table.find(name);
    if (row != kNoRow) evicting.add(row);
  }
  workload.previous = previous;
  workload.targets = targets.words();
  workload.evicting = evicting.words();
  workload.affinity_group = {};
  workload.anti_affinity_group = {};
  if (groups == nullptr) return;
  if (groups->every_other(binding.affinity_group, binding.self, table, affinity_group)) {
    workload.affinity_group = affinity_group.words();
  }
  if (groups->any_other(binding.anti_affinity_group, binding.self, table, anti_affinity_group)) {
    workload.anti_affinity_group = anti_affinity_group.words();
  }
}

void Resolver::State::resolve_placement(const ClusterTable& table, const Binding& binding) {
  const Placement& placement = *binding.placement;
  const CompiledPlacement& compiled = placements.get(table, binding.placement);
  workload.placement = &compiled;
  workload.term = affinity_index(placement, binding.observed_affinity);
  workload.spreads = spreads(placement);
  workload.tiers = !placement.affinity && !placement.affinities.empty() &&
                   placement.affinities[workload.term].has_overflow;
  affinity.clear();
  if (compiled.affinity) {
    affinity.push_back(compiled.affinity->words());
  } else if (!compiled.affinities.empty()) {
    const std::vector<RowSet>& tiers = compiled.affinities[workload.term];
    std::size_t count = binding.is_workload() ? tiers.size() : 1;
    for (std::size_t tier = 0; tier < count; ++tier) affinity.push_back(tiers[tier].words());
  }
  workload.affinity = affinity;
  tolerations.clear();
  const Symbols& symbols = table.symbols();
  for (const Toleration& toleration : placement.tolerations) {
    tolerations.push_back(
        {symbols.find(toleration.key), symbols.find(toleration.value), toleration.op, toleration.effect});
  }
  workload.tolerations = tolerations;
}

void Resolver::State::resolve_all_requests(const ClusterTable& table, const Binding& binding) {
  resolve_requests(table, binding.requests, binding.has_requirements, requests);
  workload.requests = &requests;
  workload.set_requests = nullptr;
  components.resize(binding.components.size());
  for (std::size_t i = 0; i < binding.components.size(); ++i) {
    resolve_requests(table, binding.components[i].requests, true, components[i]);
  }
  workload.components = components;
  if (binding.components.empty()) return;
  resolve_set(table, binding.components, set_requests);
  workload.set_requests = &set_requests;
}

Workload& Resolver::resolve(const ClusterTable& table, const Binding& binding,
                            const ResolveOptions& options) {
  State& state = *state_;
  Workload& workload = state.workload;
  ++workload.decision;
  workload.table = &table;
  workload.binding = &binding;
  workload.api = table.find_api(binding.api_version, binding.kind);
  workload.divisible = binding.is_workload();
  workload.whole_sets = places_whole_sets(binding, options);
  workload.spreads_by_any = options.spread_by_any;
  workload.skipped = {};
  workload.watch = nullptr;
  state.resolve_rows(table, binding, options.groups);
  state.resolve_placement(table, binding);
  state.resolve_all_requests(table, binding);
  return workload;
}

}  // namespace flotilla::scheduler
