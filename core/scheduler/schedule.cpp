// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/schedule.hpp"

#include <algorithm>

#include "core/scheduler/assign.hpp"
#include "core/scheduler/candidates.hpp"
#include "core/scheduler/estimate.hpp"
#include "core/scheduler/select.hpp"
#include "core/scheduler/shared_verdicts.hpp"

namespace flotilla::scheduler {

// How long each policy takes, where somebody wants to know.
class PolicyTimer {
 public:
  PolicyTimer() = default;
  PolicyTimer(std::int64_t (*ticks)(), std::vector<PolicyTime>* out) : ticks_(ticks), out_(out) {}
  void begin() {
    if (out_ != nullptr) began_ = ticks_();
  }
  void end(std::size_t policy, Step step, bool ok, const RowSet& fits) {
    if (out_ == nullptr) return;
    const std::int64_t took = ticks_() - began_;
    using Result = PolicyTime::Result;
    const Result result = !ok ? Result::Error : fits.empty() ? Result::Unschedulable : Result::Success;
    out_->push_back({static_cast<std::uint8_t>(policy), step, result, took});
  }

 private:
  std::int64_t (*ticks_)() = nullptr;
  std::vector<PolicyTime>* out_ = nullptr;
  std::int64_t began_ = 0;
};

struct Workspace::State {
  Resolver resolver;
  std::vector<std::uint32_t> skipped;
  RowSet fits;
  RowSet before;
  std::vector<Reason> reasons;
  std::vector<std::uint8_t> refused_by;
  std::vector<std::int64_t> scores;
  std::vector<std::int32_t> policy_scores;
  std::vector<std::int32_t> room;
  std::vector<std::int64_t> estimates;
  std::vector<std::uint32_t> counts;
  SharedVerdicts shared;
  PolicyTimer timer;
  Verdicts found;
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

std::string policy_text(const Policy& policy) {
  return "policy " + std::string(policy.name());
}

Error fault(const Policy& policy, const std::string& what) {
  policy.charge(what);
  return internal(policy_text(policy) + " " + what);
}

// Which rows a policy has taken from `before`, with a reason for each. A policy can take clusters away, never
// bring one back.
Status take_refusals(State& state, const Policies& policies, std::size_t i) {
  const Policies::Entry& entry = policies.entries()[i];
  bool brought_back = false;
  bool unheard_of = false;
  std::span<std::uint64_t> fits = state.fits.words();
  std::span<std::uint64_t> refused = state.before.words();
  for (std::size_t w = 0; w < fits.size(); ++w) {
    brought_back |= (fits[w] & ~refused[w]) != 0;
    refused[w] &= ~fits[w];
  }
  state.before.for_each([&](Row row) {
    state.refused_by[row] = static_cast<std::uint8_t>(i);
    if (state.reasons[row] == Reasons::kFits) state.reasons[row] = entry.unsaid;
    unheard_of |= state.reasons[row] >= policies.reasons();
  });
  if (brought_back) return fault(*entry.policy, "brought back clusters that were refused already");
  if (unheard_of) {
    for (Reason& reason : state.reasons) reason = reason < policies.reasons() ? reason : entry.unsaid;
    return fault(*entry.policy, "gave a reason that it never registered");
  }
  return {};
}

// Policies that narrow the clusters from the start, and those that pass steps.
Status prepare(State& state, Workload& workload, const Policies& policies) {
  state.skipped.assign(policies.entries().size(), 0);
  for (std::size_t i = 0; i < policies.entries().size(); ++i) {
    const Policy& policy = *policies.entries()[i].policy;
    if ((policy.steps() & kPrepareStep) == 0) continue;
    state.before = state.fits;
    if (Status done = policy.prepare(workload, state.fits.words(), state.skipped[i]); !done) {
      return std::move(done).context(policy_text(policy));
    }
    if (Status taken = take_refusals(state, policies, i); !taken) return taken;
  }
  workload.skipped = state.skipped;
  return {};
}

// Clusters that are being deleted never fit and are given no reason.
void begin_rows(State& state, const ClusterTable& table, RowRange range) {
  for (std::size_t w = range.first / 64; w < words_for(range.last); ++w) {
    state.fits.words()[w] &= ~table.identity().deleting.words()[w];
  }
}

Status filter_rows(State& state, const Workload& workload, const Policies& policies, RowRange range) {
  for (std::size_t i = 0; i < policies.entries().size(); ++i) {
    if (!policies.takes_part(workload, i, kFilterStep)) continue;
    const Policy& policy = *policies.entries()[i].policy;
    state.before = state.fits;
    state.timer.begin();
    Status done = policy.filter(workload, range, state.fits.words(), state.reasons);
    state.timer.end(i, Step::Filter, done.ok(), state.fits);
    if (!done) return std::move(done).context(policy_text(policy));
    if (Status taken = take_refusals(state, policies, i); !taken) return taken;
  }
  return {};
}

// Verdicts are shared where no policy looks at anything but cluster and placement, and none narrows or passes
// the filters for this workload alone.
bool can_share(const State& state, const Workload& workload, const Policies& policies) {
  if (!workload.affinity_group.empty() || !workload.anti_affinity_group.empty()) return false;
  for (std::size_t i = 0; i < policies.entries().size(); ++i) {
    const Policy& policy = *policies.entries()[i].policy;
    if ((policy.steps() & kFilterStep) == 0) continue;
    if (!policy.filters_by_placement() || (state.skipped[i] & kFilterStep) != 0) return false;
  }
  const std::span<const std::uint64_t> deleting = workload.table->identity().deleting.words();
  const std::size_t rest = workload.table->size() % 64;
  for (std::size_t w = 0; w < deleting.size(); ++w) {
    const bool last = w + 1 == deleting.size() && rest != 0;
    const std::uint64_t all = last ? ~std::uint64_t{0} >> (64 - rest) : ~std::uint64_t{0};
    if (state.fits.words()[w] != (all & ~deleting[w])) return false;
  }
  return true;
}

// The state's arrays take the place of the verdicts while the filters are asked.
void exchange(State& state, Verdicts& verdicts) {
  std::swap(state.fits, verdicts.fits);
  std::swap(state.reasons, verdicts.reasons);
  std::swap(state.refused_by, verdicts.refused_by);
}

Status find_clusters_that_fit(State& state, Workload& workload, const Policies& policies) {
  const ClusterTable& table = *workload.table;
  const RowRange all{0, static_cast<Row>(table.size())};
  state.fits.reset(table.size(), true);
  state.reasons.assign(table.size(), Reasons::kFits);
  state.refused_by.assign(table.size(), 0);
  begin_rows(state, table, all);
  if (Status prepared = prepare(state, workload, policies); !prepared) return prepared;
  if (!can_share(state, workload, policies)) return filter_rows(state, workload, policies, all);
  const auto ask = [&](const Workload& asked, RowRange range, Verdicts& verdicts) {
    exchange(state, verdicts);
    begin_rows(state, table, range);
    Status done = filter_rows(state, asked, policies, range);
    exchange(state, verdicts);
    return done;
  };
  if (Status found = state.shared.find(workload, policies, ask, state.found); !found) return found;
  exchange(state, state.found);
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

Status prioritize(State& state, const Workload& workload, const Policies& policies, Record* record) {
  const std::size_t rows = workload.table->size();
  state.scores.assign(rows, 0);
  RowRange all{0, static_cast<Row>(rows)};
  for (std::size_t i = 0; i < policies.entries().size(); ++i) {
    const Policies::Entry& entry = policies.entries()[i];
    if (!policies.takes_part(workload, i, kScoreStep) || entry.weight == 0) continue;
    state.policy_scores.assign(rows, 0);
    state.timer.begin();
    Status done = entry.policy->score(workload, all, state.fits.words(), state.policy_scores);
    state.timer.end(i, Step::Score, done.ok(), state.fits);
    if (!done) return std::move(done).context(policy_text(*entry.policy));
    std::int32_t wrong = 0;
    state.fits.for_each([&](Row row) {
      const std::int32_t score = state.policy_scores[row];
      if (score < 0 || score > kMaxScore) wrong = score;
      state.scores[row] += std::int64_t{score / 10} * entry.weight;
    });
    if (wrong != 0) {
      return fault(*entry.policy,
                   "gave a score of " + std::to_string(wrong) + ", not 0 to " + std::to_string(kMaxScore));
    }
    if (record != nullptr)
      record->scores.push_back({static_cast<std::uint8_t>(i), entry.weight, state.policy_scores});
  }
  return {};
}

std::vector<Candidate> list_candidates(const State& state, const Workload& workload) {
  std::vector<Candidate> candidates;
  candidates.reserve(state.fits.count());
  bool tiers = workload.affinity.size() > 1;
  state.fits.for_each([&](Row row) {
    const auto score =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(state.scores[row], INT32_MIN, INT32_MAX));
    Candidate candidate{row, score, state.room[row], 0, state.room[row]};
    if (tiers) {
      auto first = std::find_if(workload.affinity.begin(), workload.affinity.end(),
                                [&](std::span<const std::uint64_t> rows) { return has_bit(rows, row); });
      candidate.overflow_order = first == workload.affinity.end()
                                     ? kNoTier
                                     : static_cast<std::int32_t>(first - workload.affinity.begin());
    }
    candidates.push_back(candidate);
  });
  if (!workload.previous.empty()) {
    auto at = [&](Row row) {
      return std::lower_bound(candidates.begin(), candidates.end(), row,
                              [](const Candidate& candidate, Row wanted) { return candidate.row < wanted; });
    };
    for (const Target& target : workload.previous) {
      auto found = at(target.row);
      if (found != candidates.end() && found->row == target.row) found->available += target.replicas;
    }
  }
  return candidates;
}

// Sorting is spared where those that select and assign say that they do not look at the order.
bool order_matters(const Workload& workload, const Policies& policies) {
  for (std::uint32_t step : {kSelectStep, kAssignStep}) {
    const Policy* active = policies.active(workload, step);
    for (std::size_t i = 0; active != nullptr && i < policies.entries().size(); ++i) {
      if (policies.entries()[i].policy.get() != active) continue;
      if ((workload.skipped[i] & kAnyOrder) == 0) return true;
    }
  }
  return false;
}

void assign(const Workload& workload, const Policies& policies, std::span<const Candidate> selected,
            Decision& decision) {
  const Binding& binding = *workload.binding;
  const bool divides = (binding.replicas > 0 || binding.has_requirements) && binding.components.size() <= 1;
  if (divides || selected.empty()) {
    decision.targets = assign_replicas(workload, policies, selected, decision.failure);
    if (!decision.ok()) decision.failure.message.insert(0, "failed to assign replicas: ");
    return;
  }
  for (const Candidate& candidate : selected) decision.targets.push_back({candidate.row, 0});
  std::sort(decision.targets.begin(), decision.targets.end(),
            [](const Target& a, const Target& b) { return a.row < b.row; });
  decision.with_components = binding.components.size() > 1 && workload.whole_sets;
}

void add_empty_targets(std::size_t rows, std::span<const Candidate> selected, std::vector<Target>& targets) {
  RowSet has(rows);
  for (const Target& target : targets) has.add(target.row);
  for (const Candidate& candidate : selected) {
    if (!has.has(candidate.row)) targets.push_back({candidate.row, 0});
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

ResolveOptions resolve_options(const Options& options) {
  return {options.multiple_pod_templates, options.groups, options.spread_by_any};
}

bool given_up(const Options& options) {
  return options.watch != nullptr && options.watch->given_up();
}

void decide(State& state, const ClusterTable& table, const Binding& binding, Policies& policies,
            const Options& options, Decision& decision) {
  Record* record = options.record ? &decision.record : nullptr;
  StepTimes times(options, record);
  if (given_up(options)) {
    decision.failure = {FailureKind::Other, "given up"};
    return;
  }
  const bool timed = record != nullptr && options.ticks != nullptr && options.time_policies;
  state.timer = timed ? PolicyTimer(options.ticks, &record->policy_times) : PolicyTimer();
  if (Status seen = policies.observe(table, options.watch); !seen) {
    decision.failure = other_failure(seen.error(), "");
    return;
  }
  Workload& workload = state.resolver.resolve(table, binding, resolve_options(options));
  workload.watch = options.watch;
  if (Status filtered = find_clusters_that_fit(state, workload, policies); !filtered) {
    decision.failure = other_failure(filtered.error(), "failed to find fit clusters: ");
    return;
  }
  times.end(Step::Filter);
  if (state.fits.empty()) {
    decision.failure = fit_failure(state, table, policies);
    return;
  }
  if (Status scored = prioritize(state, workload, policies, record); !scored) {
    decision.failure = other_failure(scored.error(), "failed to prioritize clusters: ");
    return;
  }
  times.end(Step::Score);
  estimate_room(workload, policies, state.fits.words(), state.room, state.estimates, record);
  if (given_up(options)) {
    decision.failure = {FailureKind::Other, "given up"};
    return;
  }
  times.end(Step::Estimate);
  std::vector<Candidate> candidates = list_candidates(state, workload);
  if (order_matters(workload, policies)) order_candidates(candidates);
  if (record != nullptr) record->candidates = candidates;
  if (!select_clusters(workload, policies, candidates, decision.failure)) {
    decision.failure.message.insert(0, "failed to select clusters: ");
    return;
  }
  if (record != nullptr) {
    for (const Candidate& candidate : candidates) record->selected.push_back(candidate.row);
  }
  times.end(Step::Select);
  if (record != nullptr && workload.strategy() == Strategy::StaticWeight) {
    record->weights = workload.placement->weights;
  }
  assign(workload, policies, candidates, decision);
  if (decision.ok() && options.empty_workload_propagation) {
    add_empty_targets(table.size(), candidates, decision.targets);
  }
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

void report(const ClusterTable& table, const Binding& binding, const Policies& policies,
            const Options& options, Workspace& workspace, Outcome outcome, std::span<const Target> targets) {
  const auto wants = [](const Policies::Entry& entry) { return (entry.policy->steps() & kOutcomeStep) != 0; };
  if (std::none_of(policies.entries().begin(), policies.entries().end(), wants)) return;
  Workload& workload = workspace.state().resolver.resolve(table, binding, resolve_options(options));
  workload.watch = options.watch;
  for (const Policies::Entry& entry : policies.entries()) {
    if (given_up(options)) return;
    if (wants(entry)) entry.policy->outcome(workload, outcome, targets);
  }
}

Decision schedule(const ClusterTable& table, const Binding& binding, Policies& policies,
                  const Options& options) {
  Workspace workspace;
  return schedule(table, binding, policies, options, workspace);
}

}  // namespace flotilla::scheduler
