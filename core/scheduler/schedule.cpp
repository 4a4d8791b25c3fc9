// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/schedule.hpp"

#include <algorithm>

#include "core/scheduler/assign.hpp"
#include "core/scheduler/candidates.hpp"
#include "core/scheduler/estimate.hpp"
#include "core/scheduler/select.hpp"

namespace flotilla::scheduler {

struct Workspace::State {
  PlacementCache placements;
  Workload workload;
  RowSet fits;
  RowSet targets;
  RowSet evicting;
  std::vector<std::span<const std::uint64_t>> affinity;
  std::vector<SymToleration> tolerations;
  std::vector<Target> previous;
  ResolvedRequests requests;
  std::vector<Reason> reasons;
  std::vector<std::uint8_t> refused_by;
  std::vector<std::int32_t> scores;
  std::vector<std::int32_t> policy_scores;
  std::vector<std::int32_t> allocatable;
  std::vector<std::int64_t> estimates;
  std::vector<std::uint32_t> counts;
};

Workspace::Workspace() : state_(std::make_unique<State>()) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

namespace {

using State = Workspace::State;

constexpr std::int32_t kNoTier = 1000;  // overflow order of a cluster that no tier matches

Failure other_failure(const Error& error, std::string_view doing) {
  return {FailureKind::Other, std::string(doing) + error.message()};
}

void resolve_names(State& state, const ClusterTable& table, const Binding& binding) {
  state.targets.reset(table.size());
  state.evicting.reset(table.size());
  state.previous.clear();
  for (const TargetCluster& target : binding.clusters) {
    Row row = table.find(target.name);
    if (row == kNoRow) continue;
    state.targets.add(row);
    state.previous.push_back({row, target.replicas});
  }
  for (const std::string& name : binding.evicting) {
    Row row = table.find(name);
    if (row != kNoRow) state.evicting.add(row);
  }
}

void resolve_affinity(State& state, const Binding& binding) {
  const CompiledPlacement& compiled = *state.workload.placement;
  state.affinity.clear();
  if (compiled.affinity) {
    state.affinity.push_back(compiled.affinity->words());
  } else if (!compiled.affinities.empty()) {
    const std::vector<RowSet>& tiers = compiled.affinities[state.workload.term];
    std::size_t count = binding.is_workload() ? tiers.size() : 1;
    for (std::size_t tier = 0; tier < count; ++tier) state.affinity.push_back(tiers[tier].words());
  }
}

void resolve(State& state, const ClusterTable& table, const Binding& binding) {
  Workload& workload = state.workload;
  const Symbols& symbols = table.symbols();
  workload.table = &table;
  workload.binding = &binding;
  workload.placement = &state.placements.get(table, binding.placement);
  workload.term = affinity_index(*binding.placement, binding.observed_affinity);
  workload.api = table.find_api(binding.api_version, binding.kind);
  workload.divisible = binding.is_workload();
  resolve_names(state, table, binding);
  resolve_affinity(state, binding);
  state.tolerations.clear();
  for (const Toleration& toleration : binding.placement->tolerations) {
    state.tolerations.push_back(
        {symbols.find(toleration.key), symbols.find(toleration.value), toleration.op, toleration.effect});
  }
  resolve_requests(table, binding.requests, binding.has_requirements, state.requests);
  workload.requests = state.requests.per_resource;
  workload.requests_unknown = state.requests.unknown;
  workload.previous = state.previous;
  workload.targets = state.targets.words();
  workload.evicting = state.evicting.words();
  workload.affinity = state.affinity;
  workload.tolerations = state.tolerations;
}

// Clusters that are being deleted never fit and are given no reason.
Status find_clusters_that_fit(State& state, const ClusterTable& table, Policies& policies) {
  state.fits.reset(table.size(), true);
  for (std::size_t w = 0; w < table.words(); ++w) {
    state.fits.words()[w] &= ~table.identity().deleting.words()[w];
  }
  state.reasons.assign(table.size(), Reasons::kFits);
  state.refused_by.assign(table.size(), 0);
  RowRange all{0, static_cast<Row>(table.size())};
  RowSet before;
  for (std::size_t i = 0; i < policies.entries().size(); ++i) {
    const Policy& policy = *policies.entries()[i].policy;
    if ((policy.steps() & kFilterStep) == 0) continue;
    before = state.fits;
    Status done = policy.filter(state.workload, all, state.fits.words(), state.reasons);
    if (!done) return std::move(done).context("policy " + std::string(policy.name()));
    for (std::size_t w = 0; w < table.words(); ++w) {
      // A policy can take clusters away, never bring one back.
      state.fits.words()[w] &= before.words()[w];
      before.words()[w] &= ~state.fits.words()[w];
    }
    before.for_each([&](Row row) { state.refused_by[row] = static_cast<std::uint8_t>(i); });
  }
  return {};
}

// "0/5 clusters are available: 2 reason, 3 another reason."
Failure fit_failure(State& state, const ClusterTable& table, const Policies& policies) {
  state.counts.assign(policies.reasons(), 0);
  for (Reason reason : state.reasons) ++state.counts[reason];
  std::vector<std::string> texts;
  for (std::size_t reason = 1; reason < state.counts.size(); ++reason) {
    if (state.counts[reason] == 0) continue;
    texts.push_back(std::to_string(state.counts[reason]) + " " +
                    std::string(policies.reason(static_cast<Reason>(reason))));
  }
  std::sort(texts.begin(), texts.end());
  std::string message = "0/" + std::to_string(table.size()) + " clusters are available: ";
  if (texts.empty()) message += "no cluster exists";
  for (std::size_t i = 0; i < texts.size(); ++i) message += (i == 0 ? "" : ", ") + texts[i];
  return {FailureKind::NoClusterFit, message + "."};
}

Status prioritize(State& state, const ClusterTable& table, const Policies& policies, Record* record) {
  state.scores.assign(table.size(), 0);
  RowRange all{0, static_cast<Row>(table.size())};
  for (std::size_t i = 0; i < policies.entries().size(); ++i) {
    const Policies::Entry& entry = policies.entries()[i];
    if ((entry.policy->steps() & kScoreStep) == 0 || entry.weight == 0) continue;
    state.policy_scores.assign(table.size(), 0);
    Status done = entry.policy->score(state.workload, all, state.fits.words(), state.policy_scores);
    if (!done) return std::move(done).context("policy " + std::string(entry.policy->name()));
    for (Row row = 0; row < table.size(); ++row) {
      state.scores[row] += std::clamp(state.policy_scores[row], 0, kMaxScore) / 10 * entry.weight;
    }
    if (record != nullptr)
      record->scores.push_back({static_cast<std::uint8_t>(i), entry.weight, state.policy_scores});
  }
  return {};
}

// Pod templates are scheduled as whole sets, and only onto a single cluster.
bool schedules_component_sets(const Binding& binding, const Options& options) {
  const SpreadConstraint* constraint = binding.placement->find_spread(SpreadField::Cluster);
  return options.multiple_pod_templates && !binding.components.empty() && constraint != nullptr &&
         constraint->min_groups == 1 && constraint->max_groups == 1;
}

// An estimator's column, for the record.
EstimateColumn column_of(std::size_t policy, bool failed, std::span<const std::int64_t> estimates) {
  EstimateColumn column{static_cast<std::uint8_t>(policy), failed, {}};
  if (failed) return column;
  column.replicas.reserve(estimates.size());
  for (std::int64_t value : estimates)
    column.replicas.push_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(value, -1, INT32_MAX)));
  return column;
}

Status estimate(State& state, const ClusterTable& table, const Binding& binding, const Policies& policies,
                const Options& options, Record* record) {
  state.allocatable.assign(table.size(), INT32_MAX);
  if (binding.replicas == 0 && binding.components.empty()) return {};
  std::span<const std::uint64_t> fits = state.fits.words();
  if (schedules_component_sets(binding, options)) {
    estimate_component_sets(table, binding.components, fits, state.allocatable);
  } else {
    estimate_replicas(table, state.requests, fits, state.allocatable);
  }
  if (record != nullptr) record->estimates.push_back({kGeneralEstimator, false, state.allocatable});
  RowRange all{0, static_cast<Row>(table.size())};
  for (std::size_t i = 0; i < policies.entries().size(); ++i) {
    const Policies::Entry& entry = policies.entries()[i];
    if ((entry.policy->steps() & kEstimateStep) == 0) continue;
    state.estimates.assign(table.size(), kUnknownEstimate);
    Status done = entry.policy->estimate(state.workload, all, fits, state.estimates);
    if (record != nullptr) record->estimates.push_back(column_of(i, !done, state.estimates));
    if (!done) continue;  // an estimator that fails is as if it were not there
    for_each_row(fits, [&](Row row) {
      std::int64_t replicas = std::min<std::int64_t>(state.estimates[row], INT32_MAX);
      if (replicas < 0) return;
      state.allocatable[row] = std::min(state.allocatable[row], static_cast<std::int32_t>(replicas));
    });
  }
  for_each_row(fits, [&](Row row) {
    if (state.allocatable[row] == INT32_MAX) state.allocatable[row] = binding.replicas;
  });
  return {};
}

std::vector<Candidate> list_candidates(const State& state) {
  std::vector<Candidate> candidates;
  candidates.reserve(state.fits.count());
  bool tiers = state.workload.affinity.size() > 1;
  state.fits.for_each([&](Row row) {
    Candidate candidate{row, state.scores[row], state.allocatable[row], 0, state.allocatable[row]};
    if (tiers) {
      auto first = std::find_if(state.workload.affinity.begin(), state.workload.affinity.end(),
                                [&](std::span<const std::uint64_t> rows) { return has_bit(rows, row); });
      candidate.overflow_order = first == state.workload.affinity.end()
                                     ? kNoTier
                                     : static_cast<std::int32_t>(first - state.workload.affinity.begin());
    }
    candidates.push_back(candidate);
  });
  if (!state.previous.empty()) {
    auto at = [&](Row row) {
      return std::lower_bound(candidates.begin(), candidates.end(), row,
                              [](const Candidate& candidate, Row wanted) { return candidate.row < wanted; });
    };
    for (const Target& target : state.previous) {
      auto found = at(target.row);
      if (found != candidates.end() && found->row == target.row) found->available += target.replicas;
    }
  }
  return candidates;
}

// Only these look at the order: spread constraints, and the choice of the fewest clusters.
bool order_matters(const Placement& placement) {
  return spreads(placement) || placement.strategy == Strategy::Aggregated;
}

void assign(const State& state, const Binding& binding, const Options& options,
            std::span<const Candidate> selected, Decision& decision) {
  constexpr std::string_view kDoing = "failed to assign replicas: ";
  if (selected.empty()) {
    decision.failure = {FailureKind::Other, std::string(kDoing) + "no clusters available to schedule"};
    return;
  }
  bool divides = (binding.replicas > 0 || binding.has_requirements) && binding.components.size() <= 1;
  if (!divides) {
    for (const Candidate& candidate : selected) decision.targets.push_back({candidate.row, 0});
    std::sort(decision.targets.begin(), decision.targets.end(),
              [](const Target& a, const Target& b) { return a.row < b.row; });
    decision.with_components = binding.components.size() > 1 && schedules_component_sets(binding, options);
    return;
  }
  const Placement& placement = *binding.placement;
  AssignInput input;
  input.strategy = placement.has_scheduling ? placement.strategy : Strategy::Duplicated;
  input.replicas = binding.replicas;
  input.fresh = binding.reschedule;
  input.previous = state.previous;
  input.weights = state.workload.placement->weights;
  input.uid = binding.uid;
  input.tiers = !placement.affinity && !placement.affinities.empty() &&
                placement.affinities[state.workload.term].has_overflow;
  if (options.record && input.strategy == Strategy::StaticWeight)
    decision.record.weights = state.workload.placement->weights;
  decision.targets = assign_replicas(input, selected, decision.failure);
  if (!decision.ok()) decision.failure.message.insert(0, kDoing);
}

void add_empty_targets(std::span<const Candidate> selected, std::vector<Target>& targets) {
  std::size_t assigned = targets.size();
  for (const Candidate& candidate : selected) {
    bool has = std::any_of(targets.begin(), targets.begin() + static_cast<std::ptrdiff_t>(assigned),
                           [&](const Target& target) { return target.row == candidate.row; });
    if (!has) targets.push_back({candidate.row, 0});
  }
  std::sort(targets.begin(), targets.end(), [](const Target& a, const Target& b) { return a.row < b.row; });
}

// Notes how long each step took; does nothing without a clock.
class StepTimes {
 public:
  StepTimes(const Options& options, Record* record)
      : ticks_(record == nullptr ? nullptr : options.ticks), record_(record) {
    if (ticks_ != nullptr) began_ = ticks_();
  }
  void end(Step step) {
    if (ticks_ == nullptr) return;
    const std::int64_t now = ticks_();
    record_->nanoseconds[static_cast<std::size_t>(step)] = now - began_;
    began_ = now;
  }

 private:
  std::int64_t (*ticks_)();
  Record* record_;
  std::int64_t began_ = 0;
};

void decide(State& state, const ClusterTable& table, const Binding& binding, Policies& policies,
            const Options& options, Decision& decision) {
  Record* record = options.record ? &decision.record : nullptr;
  StepTimes times(options, record);
  if (Status seen = policies.observe(table); !seen) {
    decision.failure = other_failure(seen.error(), "");
    return;
  }
  resolve(state, table, binding);
  if (Status filtered = find_clusters_that_fit(state, table, policies); !filtered) {
    decision.failure = other_failure(filtered.error(), "failed to find fit clusters: ");
    return;
  }
  times.end(Step::Filter);
  if (state.fits.empty()) {
    decision.failure = fit_failure(state, table, policies);
    return;
  }
  if (Status scored = prioritize(state, table, policies, record); !scored) {
    decision.failure = other_failure(scored.error(), "failed to prioritize clusters: ");
    return;
  }
  times.end(Step::Score);
  if (Status estimated = estimate(state, table, binding, policies, options, record); !estimated) {
    decision.failure = other_failure(estimated.error(), "failed to estimate replicas: ");
    return;
  }
  times.end(Step::Estimate);
  std::vector<Candidate> candidates = list_candidates(state);
  if (order_matters(*binding.placement)) order_candidates(candidates);
  if (options.record) decision.record.candidates = candidates;
  SelectInput input{&table, binding.placement.get(), binding.replicas,
                    schedules_component_sets(binding, options)};
  if (Status selected = select_clusters(input, candidates); !selected) {
    decision.failure = other_failure(selected.error(), "failed to select clusters: ");
    return;
  }
  if (options.record) {
    for (const Candidate& candidate : candidates) decision.record.selected.push_back(candidate.row);
  }
  times.end(Step::Select);
  assign(state, binding, options, candidates, decision);
  if (decision.ok() && options.empty_workload_propagation) add_empty_targets(candidates, decision.targets);
  times.end(Step::Assign);
}

}  // namespace

Decision schedule(const ClusterTable& table, const Binding& binding, Policies& policies,
                  const Options& options, Workspace& workspace) {
  Decision decision;
  State& state = workspace.state();
  state.reasons.clear();
  state.refused_by.clear();
  decide(state, table, binding, policies, options, decision);
  if (!decision.ok()) decision.targets.clear();
  if (options.record) {
    decision.record.reasons = state.reasons;
    decision.record.policies = state.refused_by;
  }
  return decision;
}

Decision schedule(const ClusterTable& table, const Binding& binding, Policies& policies,
                  const Options& options) {
  Workspace workspace;
  return schedule(table, binding, policies, options, workspace);
}

}  // namespace flotilla::scheduler
