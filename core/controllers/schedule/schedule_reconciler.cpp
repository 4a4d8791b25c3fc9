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
constexpr std::size_t kMostPatient = 64;   // of those that others woke, so that urgent ones wait for less
constexpr std::size_t kWorthSharing = 16;  // fewer are decided faster than handed over
constexpr std::size_t kShare = 4;          // that a lane takes at a time
// One decision of so many times its policies. Karmada times all and forgets those beyond 1,000 a second.
constexpr std::uint64_t kTimedShare = 16;
// How long a lane works before it stands in line again: requests wait for the same few threads.
constexpr Duration kTurn = std::chrono::microseconds(500);
constexpr Duration kPoll = std::chrono::milliseconds(5), kLongest = std::chrono::milliseconds(20);

bool has_owner(const Json& binding) {
  for (const std::string_view label :
       {api::labels::kPropagationPolicyId, api::labels::kClusterPropagationPolicyId,
        api::labels::kBindingManagedBy}) {
    if (!api::label_of(binding, label).empty()) return true;
  }
  return false;
}

std::int32_t priority_of(const api::Object& binding) {
  if (!mentions(binding, "\"schedulePriority\"")) return 0;
  const auto content = binding.content();
  return static_cast<std::int32_t>((*content)["spec"]["schedulePriority"]["priority"].as_int());
}

scheduler::QueueRules queue_rules(const Options& options) {
  scheduler::QueueRules rules;
  rules.priorities = options.feature_gates.priority_based_scheduling;
  rules.first_backoff = options.scheduler_backoff;
  rules.longest_backoff = options.scheduler_max_backoff;
  rules.unschedulable_again = options.scheduler_unschedulable_again;
  return rules;
}

// Looked at again whenever clusters change, whatever it has.
bool reruns(const scheduler::Binding& binding) {
  return !binding.is_workload() || !binding.placement->has_scheduling ||
         binding.placement->strategy == scheduler::Strategy::Duplicated;
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
  options_.ticks = [] { return SystemClock().steady_now().time_since_epoch().count(); };
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>());
    lanes_.back()->strand = i == 0 ? scope_.executor() : context.executor.strand();
  }
  schedulers_[context.options.scheduler_name] = &context.policies;
  for (const NamedPolicies& each : context.further_schedulers) schedulers_[each.name] = each.policies;
  if (context.options.feature_gates.workload_affinity) options_.groups = &groups_;
  if (context.options.feature_gates.scheduling_overcommit_protection) {
    scheduler::ReservationRules rules;
    rules.longest = context.options.scheduler_assumption_ttl;
    rules.settle = 2 * context.options.cluster_status_update_frequency;
    reservations_ = std::make_unique<scheduler::Reservations>(rules);
  }
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
}

void ScheduleReconciler::stop() {
  {
    std::lock_guard lock(mutex_);
    shut_down_ = true;
  }
  changed_.notify();
  scope_.cancel();
  scope_.join_blocking();
}

bool ScheduleReconciler::idle() const {
  std::lock_guard lock(mutex_);
  return queue_.active() == 0 && queue_.in_work() == 0 && changed_clusters_.empty() && reported_.empty() &&
         !busy_;
}

void ScheduleReconciler::on_binding(const Event& event) {
  const Key key{event.collection, event.object->key()};
  const bool gone = event.type == Event::Type::Deleted;
  if (options_.groups != nullptr && event.collection == kinds::kResourceBinding.collection() &&
      (mentions(*event.object, "\"workloadAffinityGroups\"") ||
       (event.previous && mentions(*event.previous, "\"workloadAffinityGroups\"")))) {
    std::lock_guard lock(mutex_);
    group_news_.insert(key);
  }
  if (!gone && event.previous && event.previous->labels().pairs == event.object->labels().pairs) {
    const std::int64_t generation = event.object->generation();
    // What was just decided here is seen already: deciding it again would only say it again.
    const bool seen =
        event.previous->generation() == generation ||
        (*event.object->content())["status"]["schedulerObservedGeneration"].as_int() == generation;
    if (seen && !reservations_) return;
    if (seen) {
      std::lock_guard lock(mutex_);
      reported_.insert(key);
      changed_.notify();
      return;
    }
  }
  metrics_.came(event.previous ? Incoming::Updated : Incoming::Added);
  const std::int32_t priority = gone ? 0 : priority_of(*event.object);
  {
    std::lock_guard lock(mutex_);
    queue_.add(key, priority, !gone && context_.informers.synced(), context_.executor.clock().steady_now());
    tell_congestion();
  }
  changed_.notify();
}

void ScheduleReconciler::on_cluster(const Event& event) {
  {
    std::lock_guard lock(mutex_);
    changed_clusters_.insert(event.object->name());
  }
  metrics_.cluster_came();
  changed_.notify();
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
      const bool news = !changed_clusters_.empty() || !reported_.empty() || !answered_.empty();
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
  Trial& trial = cycle.trials.front();
  examine(trial, *lanes_[0]);
  settle_conflicts(cycle);
  auto writing = write(trial);
  trial.outcome = co_await std::move(writing);
  const Outcome outcome = trial.outcome;
  const bool again = outcome.kind() == Outcome::Kind::Again || outcome.kind() == Outcome::Kind::Retry;
  if (again && ++steps_[*key] > Loop::kStepTries) trial.outcome = Outcome::done();
  finish(trial);
  co_return Loop::Step{*key, outcome};
}

Task<void> ScheduleReconciler::follow_clusters() {
  std::set<std::string> names;
  {
    std::lock_guard lock(mutex_);
    names.swap(changed_clusters_);
  }
  std::vector<ChangedCluster> changes;
  for (const std::string& name : names) {
    const ObjectPtr cluster = context_.get(kinds::kCluster, {"", name});
    if (!cluster) {
      builder_.remove(name);
      if (context_.estimators != nullptr) context_.estimators->outdated(name);
      changes.push_back({name, {.came = true, .identity = true}});
      continue;
    }
    const auto content = cluster->content();
    const scheduler::ClusterChange change = builder_.update(*content);
    if (reservations_ && change.resources) reservations_->counted(name);
    if (context_.estimators != nullptr && change.resources) context_.estimators->outdated(name);
    if (change.identity || change.more_apis || change.more_room) changes.push_back({name, change});
  }
  if (reservations_) {
    observe_health();
    reservations_->expire(context_.executor.clock().steady_now());
    show_promises(&changes);
  }
  if (options_.groups != nullptr) follow_groups();
  const scheduler::ClusterTablePtr before = table_;
  table_ = builder_.snapshot();
  if (changes.empty() || bindings_.size() == 0) co_return;
  auto waking = wake(before, std::move(changes));
  co_await std::move(waking);
}

Task<void> ScheduleReconciler::wake(scheduler::ClusterTablePtr before, std::vector<ChangedCluster> changes) {
  const Wakening wakening = bindings_.wake(*before, *table_, changes);
  {
    std::lock_guard lock(mutex_);
    const SteadyTime now = context_.executor.clock().steady_now();
    for (const Wakening::Woken& woken : wakening.woken) queue_.wake(woken.key, woken.priority, now);
  }
  metrics_.woke(wakening.woken.size(), bindings_.size() - wakening.woken.size());
  if (wakening.woken.empty()) co_return;
  kLog.debug("clusters changed", {{"clusters", changes.size()},
                                  {"first", changes.front().name},
                                  {"placements", wakening.placements},
                                  {"woken", wakening.woken.size()},
                                  {"bindings", bindings_.size()}});
}

Task<void> ScheduleReconciler::run_cycle(std::vector<Due> due) {
  if (due.empty()) co_return;
  auto cycle = std::make_shared<Cycle>();
  for (Due& each : due)
    cycle->trials.push_back({.key = std::move(each.key), .asked = std::move(each.asked), .table = table_});
  for (const auto& [name, policies] : schedulers_) policies->refresh(*table_);
  const SteadyTime began = context_.executor.clock().steady_now();
  auto deciding = run_lanes(cycle, false);
  co_await std::move(deciding);
  settle_conflicts(*cycle);
  auto writing = run_lanes(cycle, true);
  co_await std::move(writing);
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
  for (const auto& [name, policies] : schedulers_) shared = shared && policies->observe(*table_).ok();
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

void ScheduleReconciler::examine(Trial& trial, Lane& lane) const {
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
  decide(trial, lane);
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

void ScheduleReconciler::note_place(const Trial& trial) {
  if (trial.policies == nullptr || !trial.binding.placement) {
    bindings_.forget(trial.key);
    if (reservations_ && !trial.object) reservations_->forget(trial.key.object.text());
    return;
  }
  const scheduler::Attempt& attempt = trial.attempt;
  BindingsByPlacement::Binding place;
  place.placement = trial.binding.placement;
  place.failed = !attempt.failures.empty();
  place.reruns = reruns(trial.binding);
  place.priority = trial.binding.priority;
  place.term = place.failed
                   ? attempt.first_term
                   : scheduler::affinity_index(*place.placement, attempt.affinity_name.empty()
                                                                     ? trial.binding.observed_affinity
                                                                     : attempt.affinity_name);
  bindings_.put(trial.key, std::move(place));
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
