// SPDX-License-Identifier: Apache-2.0
// One cycle: what is due is looked at, decided, written and told.
#include <algorithm>

#include "core/controllers/schedule/schedule_reconciler.hpp"
#include "core/scheduler/trigger.hpp"

namespace flotilla::controllers {
namespace {

constexpr std::size_t kWorthSharing = 16;  // fewer are decided faster than handed over
constexpr std::size_t kShare = 4;          // that a lane takes at a time
// One decision of so many times its policies. Karmada times all and forgets those beyond 1,000 a second.
constexpr std::uint64_t kTimedShare = 16;
// How long a lane works before it stands in line again: requests wait for the same few threads.
constexpr Duration kTurn = std::chrono::microseconds(500);

bool has_owner(const Json& binding) {
  for (const std::string_view label :
       {api::labels::kPropagationPolicyId, api::labels::kClusterPropagationPolicyId,
        api::labels::kBindingManagedBy}) {
    if (!api::label_of(binding, label).empty()) return true;
  }
  return false;
}

}  // namespace

Task<void> ScheduleReconciler::run_cycle(std::vector<Due> due) {
  auto cycle = std::make_shared<Cycle>();
  take_answered(*cycle);
  for (Due& each : due) {
    cycle->trials.push_back({.key = std::move(each.key), .asked = std::move(each.asked), .table = table_});
    cycle->trials.back().place = cycle->trials.size();
  }
  if (cycle->trials.empty()) co_return;
  for (const auto& [name, policies] : schedulers_)
    if (!policies->watched()) policies->refresh(*table_);
  const SteadyTime began = context_.executor.clock().steady_now();
  auto deciding = run_lanes(cycle, false);
  co_await std::move(deciding);
  auto asking = ask_watched(*cycle, ordered_);
  co_await std::move(asking);
  if (cycle->trials.empty()) co_return;
  auto settling = settle_conflicts(*cycle);
  co_await std::move(settling);
  auto writing = run_lanes(cycle, true);
  co_await std::move(writing);
  auto telling = tell_outcomes(*cycle);
  co_await std::move(telling);
  for (Trial& trial : cycle->trials) finish(trial);
  const Duration took = context_.executor.clock().steady_now() - began;
  const Duration each = took / static_cast<std::int64_t>(cycle->trials.size());
  for (const Trial& trial : cycle->trials) {
    if (!trial.reason.empty() && trial.policies != nullptr && !trial.asks)
      metrics_.tried(trial.attempt.decision, trial.reason, *trial.policies, each);
  }
}

Task<void> ScheduleReconciler::run_lanes(std::shared_ptr<Cycle> cycle, bool writing) {
  cycle->next = 0;
  bool shared = cycle->trials.size() >= kWorthSharing;
  // Policies are shown the table here, once: in lanes they only read.
  for (const auto& [name, policies] : schedulers_)
    shared = shared && (policies->watched() || policies->observe(*table_).ok());
  if (shared) {
    for (std::size_t lane = 1; lane < lanes_.size(); ++lane) {
      cycle->running.fetch_add(1);
      if (!scope_.spawn_on(lanes_[lane]->strand, run_lane(*this, cycle, lane, writing)))
        cycle->running.fetch_sub(1);
    }
  }
  auto own = run_lane(*this, cycle, 0, writing);
  co_await std::move(own);
  for (;;) {
    const std::uint64_t seen = cycle->ended.version();
    if (cycle->running.load() == 0) co_return;
    auto waiting = cycle->ended.wait_past(seen);
    co_await std::move(waiting);
  }
}

Task<void> ScheduleReconciler::run_lane(ScheduleReconciler& self, std::shared_ptr<Cycle> cycle,
                                        std::size_t lane, bool writing) {
  const Clock& clock = self.context_.executor.clock();
  SteadyTime turn = clock.steady_now();
  for (;;) {
    if (clock.steady_now() - turn > kTurn) {
      auto behind = resume_on(self.lanes_[lane]->strand);
      co_await std::move(behind);
      turn = clock.steady_now();
    }
    const std::size_t first = cycle->next.fetch_add(kShare);
    if (first >= cycle->trials.size()) break;
    const std::size_t last = std::min(first + kShare, cycle->trials.size());
    for (std::size_t i = first; i < last; ++i) {
      Trial& trial = cycle->trials[i];
      if (!writing) {
        self.examine(trial, *self.lanes_[lane]);
        continue;
      }
      auto task = self.write(trial);
      trial.outcome = co_await std::move(task);
    }
  }
  if (lane == 0) co_return;
  cycle->running.fetch_sub(1);
  cycle->ended.notify();
}

// Leaves those to others in whose decision a policy may hang; they come back in a later cycle, unless
// `waits`.
Task<void> ScheduleReconciler::ask_watched(Cycle& cycle, bool waits) {
  if (!watched_) co_return;
  std::vector<Trial> staying;
  for (Trial& trial : cycle.trials) {
    if (!trial.watched) {
      staying.push_back(std::move(trial));
      continue;
    }
    const std::uint64_t id = ++last_question_;
    watched_->ask({id, trial.binding, trial.table, trial.policies});
    waiting_.emplace(id, std::move(trial));
  }
  cycle.trials = std::move(staying);
  if (!waits) co_return;
  auto settling = watched_->settle();
  co_await std::move(settling);
  take_answered(cycle);
  std::sort(cycle.trials.begin(), cycle.trials.end(),
            [](const Trial& a, const Trial& b) { return a.place < b.place; });
}

void ScheduleReconciler::take_answered(Cycle& cycle) {
  if (!watched_) return;
  for (WatchedDecisions::Answer& answer : watched_->take_answers()) {
    auto asked = waiting_.extract(answer.id);
    if (asked.empty()) continue;
    Trial trial = std::move(asked.mapped());
    trial.watched = false;
    trial.attempt = std::move(answer.attempt);
    trial.table = std::move(answer.table);
    trial.deciding = answer.deciding;
    trial.asks = !answer.given_up && wants_answers(trial);
    // What has changed meanwhile woke only those that it knew.
    const bool other_clusters = trial.table->shared_identity() != table_->shared_identity();
    const bool other_room = trial.table != table_ && !bindings_.knows(trial.key);
    if (other_clusters || (other_room && !trial.attempt.decision.ok())) {
      const std::lock_guard lock(mutex_);
      queue_.wake(trial.key, trial.binding.priority, context_.executor.clock().steady_now());
    }
    cycle.trials.push_back(std::move(trial));
  }
}

// Anew, over the clusters as they are promised now.
Task<void> ScheduleReconciler::decide_again(Trial& trial) {
  table_ = builder_.snapshot();
  trial.table = table_;
  if (!trial.policies->watched()) {
    decide(trial, *lanes_[0]);
    co_return;
  }
  Cycle alone;
  trial.watched = true;
  alone.trials.push_back(std::move(trial));
  auto asking = ask_watched(alone, true);
  co_await std::move(asking);
  trial = std::move(alone.trials.front());
}

Task<void> ScheduleReconciler::tell_outcomes(Cycle& cycle) {
  std::vector<WatchedDecisions::Report> reports;
  for (const Trial& trial : cycle.trials) {
    if (trial.reason.empty() || trial.asks || trial.policies == nullptr) continue;
    if (!trial.policies->wants_outcomes()) continue;
    const scheduler::Attempt& attempt = trial.attempt;
    const auto outcome = !attempt.decision.ok() ? scheduler::Outcome::Failed
                         : trial.written        ? scheduler::Outcome::Scheduled
                                                : scheduler::Outcome::RolledBack;
    WatchedDecisions::Report report{attempt.binding, trial.table, trial.policies, outcome,
                                    attempt.decision.targets};
    if (trial.policies->watched()) {
      reports.push_back(std::move(report));
      continue;
    }
    if (!trial.policies->observe(*report.table)) continue;
    scheduler::report(*report.table, report.binding, *report.policies, options_, lanes_[0]->workspace,
                      outcome, report.targets);
  }
  if (reports.empty()) co_return;
  watched_->tell(std::move(reports));
  if (!ordered_) co_return;
  auto settling = watched_->settle();
  co_await std::move(settling);
}

void ScheduleReconciler::examine(Trial& trial, Lane& lane) const {
  if (trial.object) return;  // it was decided elsewhere
  const BindingScope& scope = scope_of(trial.key.collection);
  trial.object = context_.get(scope.kind, trial.key.object);
  if (!trial.object || trial.object->deleting()) return;
  trial.content = trial.object->content();
  const Json& content = *trial.content;
  trial.policies = policies_for(content);
  if (trial.policies == nullptr || !content["spec"].contains("placement")) return;
  trial.binding = scheduler::parse_binding(content["spec"], content["status"], &lane.placements);
  if (in_group(trial)) trial.binding.self = trial.key.object.text();
  trial.reason = scheduler::schedule_reason(content, targets_leaving(content, *trial.table),
                                            options_.multiple_pod_templates);
  if (trial.reason.empty()) return;
  attach_sheet(trial);
  trial.watched = trial.policies->watched();
  if (!trial.watched) decide(trial, lane);
}

void ScheduleReconciler::decide(Trial& trial, Lane& lane) const {
  const Clock& clock = context_.executor.clock();
  const SteadyTime began = clock.steady_now();
  scheduler::Options options = options_;
  options.time_policies = lane.decided++ % kTimedShare == 0;
  trial.attempt = scheduler::attempt(trial.binding, *trial.table, *trial.policies, options, lane.workspace);
  trial.deciding = clock.steady_now() - began;
  trial.asks = wants_answers(trial);
}

scheduler::Policies* ScheduleReconciler::policies_for(const Json& binding) const {
  const Json& spec = binding["spec"];
  if (spec["suspension"]["scheduling"].as_bool() || !has_owner(binding)) return nullptr;
  const auto found = schedulers_.find(spec["schedulerName"].as_string("default-scheduler"));
  return found == schedulers_.end() ? nullptr : found->second;
}

bool ScheduleReconciler::targets_leaving(const Json& binding, const scheduler::ClusterTable& table) const {
  for (const Json& target : binding["spec"]["clusters"].elements()) {
    const std::string name(target["name"].as_string());
    const scheduler::Row row = table.find(name);
    if (row != scheduler::kNoRow && table.identity().deleting.has(row)) return true;
    if (row == scheduler::kNoRow && !context_.get(kinds::kCluster, {"", name})) return true;
  }
  return false;
}

}  // namespace flotilla::controllers
