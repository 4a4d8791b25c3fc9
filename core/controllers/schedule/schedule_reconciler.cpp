// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/schedule/schedule_reconciler.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "core/base/log.hpp"
#include "core/controllers/facts.hpp"
#include "core/scheduler/trigger.hpp"

namespace flotilla::controllers {
namespace {

const Logger kLog("scheduler");

constexpr std::size_t kLanes = 2;
constexpr std::size_t kMostPerCycle = 256;
constexpr std::size_t kMostPatient = 64;  // of those that others woke, so that urgent ones wait for less
constexpr Duration kPoll = std::chrono::milliseconds(5), kLongest = std::chrono::milliseconds(20);

scheduler::QueueRules queue_rules(const Options& options) {
  scheduler::QueueRules rules;
  rules.priorities = options.feature_gates.priority_based_scheduling;
  rules.first_backoff = options.scheduler_backoff;
  rules.longest_backoff = options.scheduler_max_backoff;
  rules.unschedulable_again = options.scheduler_unschedulable_again;
  return rules;
}

}  // namespace

ScheduleReconciler::ScheduleReconciler(Context& context)
    : context_(context),
      log_(context.store),
      scope_(context.executor.strand(), "scheduler"),
      queue_(queue_rules(context.options)),
      table_(builder_.snapshot()),
      metrics_(context.metrics, [this] {
        std::lock_guard lock(mutex_);
        return QueueLengths{queue_.active(), queue_.backoff(), queue_.unschedulable(),
                            queue_.active() + changed_clusters_.size() + reported_.size(),
                            queue_.in_work() + (busy_ ? 1 : 0)};
      }) {
  options_.empty_workload_propagation = context.options.enable_empty_workload_propagation;
  options_.multiple_pod_templates = context.options.feature_gates.multiple_pod_templates_scheduling;
  options_.spread_by_any = context.options.feature_gates.spread_by_label;
  options_.ticks = [] { return SystemClock().steady_now().time_since_epoch().count(); };
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>());
    lanes_.back()->strand = i == 0 ? scope_.executor() : context.executor.strand();
  }
  schedulers_[context.options.scheduler_name] = &context.policies;
  for (const NamedPolicies& each : context.further_schedulers) schedulers_[each.name] = each.policies;
  ordered_ = context.options.feature_gates.workload_affinity ||
             context.options.feature_gates.scheduling_overcommit_protection;
  if (context.options.feature_gates.workload_affinity) options_.groups = &groups_;
  if (context.options.feature_gates.scheduling_overcommit_protection) {
    scheduler::ReservationRules rules;
    rules.longest = context.options.scheduler_assumption_ttl;
    rules.settle = 2 * context.options.cluster_status_update_frequency;
    reservations_ = std::make_unique<scheduler::Reservations>(rules);
  }
  const auto watched = [](const auto& entry) { return entry.second->watched(); };
  if (std::any_of(schedulers_.begin(), schedulers_.end(), watched))
    watched_ = std::make_unique<WatchedDecisions>(options_, context.options.scheduler_policy_deadline);
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    context.informers.on(scope->kind.collection(), [this](const Event& event) { on_binding(event); });
  }
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
}

ScheduleReconciler::~ScheduleReconciler() {
  stop();
}

void ScheduleReconciler::start() {
  scope_.spawn(work());
  if (watched_) scope_.spawn(watched_->watch(changed_));
}

void ScheduleReconciler::stop() {
  {
    std::lock_guard lock(mutex_);
    shut_down_ = true;
  }
  changed_.notify();
  scope_.cancel();
  scope_.join_blocking();
  if (watched_) watched_->stop();
}

bool ScheduleReconciler::idle() const {
  std::lock_guard lock(mutex_);
  return queue_.active() == 0 && queue_.in_work() == 0 && changed_clusters_.empty() && reported_.empty() &&
         !busy_;
}

void ScheduleReconciler::tell_congestion() {
  const auto urgent = static_cast<std::int64_t>(queue_.urgent());
  context_.congestion->urgent.fetch_add(urgent - urgent_told_, std::memory_order_relaxed);
  urgent_told_ = urgent;
}

Task<bool> ScheduleReconciler::wait_for_work() {
  std::optional<SteadyTime> yielding_since;
  for (;;) {
    const std::uint64_t seen = changed_.version();
    Duration until = Duration::max();
    {
      std::lock_guard lock(mutex_);
      if (shut_down_) co_return false;
      const SteadyTime now = context_.executor.clock().steady_now();
      auto due = queue_.next_due();
      if (reservations_ && reservations_->next_due() && (!due || *reservations_->next_due() < *due))
        due = reservations_->next_due();
      const bool news = !changed_clusters_.empty() || !reported_.empty() || !answered_.empty() ||
                        (watched_ != nullptr && watched_->has_answers());
      const bool ready = news || queue_.active() > 0 || (due && *due <= now);
      // Work that others have caused yields to what is urgent elsewhere, for a while.
      const bool yields = !news && queue_.next_is_patient() &&
                          context_.congestion->urgent.load(std::memory_order_relaxed) > Congestion::kMuch;
      if (ready && yields && !yielding_since) yielding_since = now;
      if (ready && (!yields || now - *yielding_since >= kLongest)) {
        busy_ = true;
        co_return true;
      }
      if (due) until = std::max<Duration>(*due - now, Duration(1));
      if (ready) until = kPoll;
    }
    auto waiting = changed_.wait_past_for(seen, until);
    co_await std::move(waiting);
  }
}

std::vector<ScheduleReconciler::Due> ScheduleReconciler::take_due() {
  std::vector<Due> keys;
  std::lock_guard lock(mutex_);
  while (!answered_.empty() && keys.size() < kMostPerCycle) {
    auto first = answered_.extract(answered_.begin());
    keys.push_back({std::move(first.key()), std::move(first.mapped())});
  }
  const SteadyTime now = context_.executor.clock().steady_now();
  while (keys.size() < kMostPerCycle) {
    if (keys.size() >= kMostPatient && queue_.next_is_patient()) break;
    std::optional<Key> key = queue_.take(now);
    if (!key) break;
    keys.push_back({*std::move(key)});
  }
  tell_congestion();
  return keys;
}

Task<void> ScheduleReconciler::work() {
  const auto own = co_await boost::asio::this_coro::executor;
  for (;;) {
    auto waiting = wait_for_work();
    if (!co_await std::move(waiting)) co_return;
    auto following = follow_clusters();
    co_await std::move(following);
    auto running = run_cycle(take_due());
    co_await std::move(running);
    busy_ = false;
    auto behind = resume_on(own);
    co_await std::move(behind);
  }
}

Task<std::optional<Loop::Step>> ScheduleReconciler::step(bool later) {
  bool clusters = false;
  std::optional<Key> key;
  {
    std::lock_guard lock(mutex_);
    clusters = !changed_clusters_.empty();
    if (clusters) {
      key = Key{kinds::kCluster.collection(), {"", *changed_clusters_.begin()}};
    } else {
      key = queue_.take_any(context_.executor.clock().steady_now(), later);
    }
    tell_congestion();
  }
  if (!key) co_return std::nullopt;
  if (clusters) {
    auto following = follow_clusters();
    co_await std::move(following);
    co_return Loop::Step{*key, Outcome::done()};
  }
  Cycle cycle;
  cycle.trials.push_back({.key = *key, .table = table_});
  examine(cycle.trials.front(), *lanes_[0]);
  auto asking = ask_watched(cycle, true);
  co_await std::move(asking);
  Trial& trial = cycle.trials.front();
  auto settling = settle_conflicts(cycle);
  co_await std::move(settling);
  auto writing = write(trial);
  trial.outcome = co_await std::move(writing);
  const Outcome outcome = trial.outcome;
  const bool again = outcome.kind() == Outcome::Kind::Again || outcome.kind() == Outcome::Kind::Retry;
  if (again && ++steps_[*key] > Loop::kStepTries) trial.outcome = Outcome::done();
  finish(trial);
  co_return Loop::Step{*key, outcome};
}

void ScheduleReconciler::finish(Trial& trial) {
  if (trial.asks) return park(trial);
  note_place(trial);
  outdate(trial);
  if (reservations_ && trial.outcome.kind() != Outcome::Kind::Done && !trial.reason.empty()) {
    reservations_->forget(trial.key.object.text());
    restore_reservation(trial);
  }
  if (options_.groups != nullptr && in_group(trial) && trial.outcome.kind() != Outcome::Kind::Done)
    note_group(trial, trial.binding.clusters);
  settle(trial);
}

void ScheduleReconciler::settle(const Trial& trial) {
  const Outcome& outcome = trial.outcome;
  const auto kind = outcome.kind();
  const bool failed = kind == Outcome::Kind::Retry || kind == Outcome::Kind::GiveUp;
  Duration delay{0};
  {
    std::lock_guard lock(mutex_);
    const SteadyTime now = context_.executor.clock().steady_now();
    if (kind == Outcome::Kind::Again || kind == Outcome::Kind::Retry) {
      delay = queue_.failed(trial.key, kind == Outcome::Kind::Again, now);
      metrics_.came(Incoming::Failed);
    } else {
      queue_.done(trial.key, now);
    }
    tell_congestion();
  }
  metrics_.worked(failed, trial.deciding);
  if (!failed || outcome.error().is(Code::Cancelled)) return;
  if (kind == Outcome::Kind::GiveUp) {
    kLog.error("binding cannot be scheduled, waiting for a change",
               {{"binding", trial.key.object.text()}, {"error", outcome.error().message()}});
    return;
  }
  kLog.warn("binding could not be scheduled, will retry", {{"binding", trial.key.object.text()},
                                                           {"error", outcome.error().message()},
                                                           {"in", format_duration(delay)}});
}

}  // namespace flotilla::controllers
