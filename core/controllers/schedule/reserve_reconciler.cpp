// SPDX-License-Identifier: Apache-2.0
// What decisions take from one another: reserved room, and where the others of a group of workload affinity
// are.
#include <functional>

#include "core/controllers/schedule/schedule_reconciler.hpp"

namespace flotilla::controllers {
namespace {

// What the binding's status says of each of these clusters.
std::vector<scheduler::Observation> observations(const Json& binding,
                                                 const std::vector<scheduler::TargetCluster>& targets) {
  std::vector<scheduler::Observation> seen;
  for (const scheduler::TargetCluster& target : targets) {
    scheduler::Observation observation;
    for (const Json& item : binding["status"]["aggregatedStatus"].elements()) {
      if (item["clusterName"].as_string() != target.name) continue;
      observation.healthy = item["health"].as_string() == "Healthy";
      observation.print = std::hash<std::string>()(item.dump()) | 1;
    }
    seen.push_back(observation);
  }
  return seen;
}

std::vector<scheduler::TargetCluster> decided_targets(const scheduler::Decision& decision,
                                                      const scheduler::ClusterTable& table) {
  std::vector<scheduler::TargetCluster> targets;
  for (const scheduler::Target& target : decision.targets) {
    targets.push_back({std::string(table.name(target.row)), target.replicas});
  }
  return targets;
}

std::string id_of(const Key& key) {
  return key.object.text();
}

// Does the room of clusters decide where it goes?
bool looks_at_room(const scheduler::Placement& placement) {
  const bool divides_by_room = placement.strategy == scheduler::Strategy::DynamicWeight ||
                               placement.strategy == scheduler::Strategy::Aggregated;
  return divides_by_room || (!placement.spread.empty() && !placement.ignores_spread());
}

}  // namespace

void ScheduleReconciler::observe_health() {
  std::set<Key> reported;
  {
    std::lock_guard lock(mutex_);
    reported.swap(reported_);
  }
  const SteadyTime now = context_.executor.clock().steady_now();
  for (const Key& key : reported) {
    if (!reservations_->knows(id_of(key))) continue;
    const ObjectPtr binding = context_.get(scope_of(key.collection).kind, key.object);
    if (!binding) continue;
    const auto content = binding->content();
    std::vector<scheduler::TargetCluster> targets;
    for (const Json& item : (*content)["status"]["aggregatedStatus"].elements()) {
      targets.push_back({std::string(item["clusterName"].as_string()), 0});
    }
    const auto seen = observations(*content, targets);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      reservations_->observed(id_of(key), targets[i].name, seen[i], now);
    }
  }
}

void ScheduleReconciler::reserve(const Trial& trial) {
  const auto after = decided_targets(trial.attempt.decision, *trial.table);
  reservations_->decided(id_of(trial.key), trial.binding, trial.binding.clusters, after,
                         observations(*trial.content, after), context_.executor.clock().steady_now());
}

void ScheduleReconciler::restore_reservation(const Trial& trial) {
  if (!trial.content || trial.binding.clusters.empty() || reservations_->knows(id_of(trial.key))) return;
  auto scheduled = parse_time((*trial.content)["status"]["lastScheduledTime"].as_string());
  if (!scheduled) return;
  reservations_->restored(id_of(trial.key), trial.binding,
                          observations(*trial.content, trial.binding.clusters),
                          std::max<Duration>(context_.now() - *scheduled, Duration::zero()),
                          context_.executor.clock().steady_now());
}

void ScheduleReconciler::show_promises(std::vector<ChangedCluster>* freed) {
  for (scheduler::Reservations::Change& change : reservations_->take_changes()) {
    builder_.promise(change.cluster, std::move(change.promises));
    if (change.less && freed != nullptr) freed->push_back({change.cluster, {.more_room = true}});
  }
}

void ScheduleReconciler::note_group(const Trial& trial,
                                    const std::vector<scheduler::TargetCluster>& clusters) {
  std::vector<std::string> names;
  for (const scheduler::TargetCluster& cluster : clusters) names.push_back(cluster.name);
  groups_.put(trial.key.object.text(), trial.key.object.ns, trial.binding.affinity_group,
              trial.binding.anti_affinity_group, names);
}

void ScheduleReconciler::follow_groups() {
  std::set<Key> news;
  {
    std::lock_guard lock(mutex_);
    news.swap(group_news_);
  }
  for (const Key& key : news) {
    const std::string id = key.object.text();
    const std::vector<std::string> companions = groups_.companions(id);
    const ObjectPtr object = context_.get(kinds::kResourceBinding, key.object);
    if (object) {
      Trial trial{.key = key};
      trial.binding = scheduler::parse_binding((*object->content())["spec"], Json());
      note_group(trial, trial.binding.clusters);
    } else {
      groups_.remove(id);
    }
    std::vector<std::string> now = groups_.companions(id);
    now.insert(now.end(), companions.begin(), companions.end());
    std::lock_guard lock(mutex_);
    for (const std::string& companion : now) {
      const std::size_t slash = companion.find('/');
      const Key other{key.collection, {companion.substr(0, slash), companion.substr(slash + 1)}};
      if (companion != id && bindings_.has_failed(other))
        queue_.wake(other, 0, context_.executor.clock().steady_now(), true);
    }
  }
}

Task<void> ScheduleReconciler::settle_conflicts(Cycle& cycle) {
  if (!reservations_ && options_.groups == nullptr) co_return;
  // What stored bindings hold counts before anything new is given away.
  bool taken = false, grouped = false;
  std::set<std::string, std::less<>> given;
  for (const Trial& trial : cycle.trials) {
    if (!reservations_ || bindings_.knows(trial.key) || trial.policies == nullptr) continue;
    restore_reservation(trial);
    taken = taken || reservations_->knows(id_of(trial.key));
  }
  for (Trial& trial : cycle.trials) {
    if (trial.policies == nullptr || trial.reason.empty() || !trial.binding.placement || trial.asks) continue;
    // Of clusters that others were just given room in, estimators are asked again.
    const bool stale = trial.asked.sheet && trial.asked.sheet->forget(given);
    if (stale) trial.asked.rounds = 0;
    if (stale || (taken && looks_at_room(*trial.binding.placement)) || (grouped && in_group(trial))) {
      if (reservations_) show_promises(nullptr);
      auto deciding = decide_again(trial);
      co_await std::move(deciding);
      if (trial.asks) continue;
    }
    if (!trial.attempt.failures.empty()) continue;
    if (options_.groups != nullptr && in_group(trial)) {
      note_group(trial, decided_targets(trial.attempt.decision, *trial.table));
      grouped = true;
    }
    if (!reservations_) continue;
    reserve(trial);
    taken = true;
    for (const auto& target : decided_targets(trial.attempt.decision, *trial.table))
      given.insert(target.name);
  }
  if (reservations_) show_promises(nullptr);
  table_ = builder_.snapshot();
}

}  // namespace flotilla::controllers
