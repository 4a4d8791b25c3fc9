// SPDX-License-Identifier: Apache-2.0
// What the scheduler hears: bindings and clusters that change, and whom a cluster's change wakes.
#include "core/base/log.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/schedule/schedule_reconciler.hpp"

namespace flotilla::controllers {
namespace {

const Logger kLog("scheduler");

constexpr std::size_t kMostTold = 16;  // clusters that changed at once

std::int32_t priority_of(const api::Object& binding) {
  if (!mentions(binding, "\"schedulePriority\"")) return 0;
  const auto content = binding.content();
  return static_cast<std::int32_t>((*content)["spec"]["schedulePriority"]["priority"].as_int());
}

// Looked at again whenever clusters change, whatever it has.
bool reruns(const scheduler::Binding& binding) {
  return !binding.is_workload() || !binding.placement->has_scheduling ||
         binding.placement->strategy == scheduler::Strategy::Duplicated;
}

}  // namespace

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

// On the clusters themselves, where labels, taints or the like have changed.
void ScheduleReconciler::tell_woken(const Wakening& wakening, const std::vector<ChangedCluster>& changes) {
  std::vector<ObjectPtr> clusters;
  for (const ChangedCluster& change : changes) {
    if (!change.change.identity || change.change.came || clusters.size() == kMostTold) continue;
    if (ObjectPtr cluster = context_.get(kinds::kCluster, {"", change.name}))
      clusters.push_back(std::move(cluster));
  }
  const std::size_t all = bindings_.size(), woken = wakening.woken.size();
  std::string text = std::to_string(woken) + " of " + std::to_string(all) +
                     " bindings are scheduled again, with " + std::to_string(wakening.placements) +
                     " placements; the result of the other " + std::to_string(all - woken) + " cannot change";
  if (clusters.size() > 1) text += " (with " + std::to_string(clusters.size() - 1) + " other clusters)";
  for (const ObjectPtr& cluster : clusters)
    context_.events.record(*cluster->content(), reconcile::kNormal, "BindingsRescheduled", text);
}

Task<void> ScheduleReconciler::wake(scheduler::ClusterTablePtr before, std::vector<ChangedCluster> changes) {
  const Wakening wakening = bindings_.wake(*before, *table_, changes);
  {
    std::lock_guard lock(mutex_);
    const SteadyTime now = context_.executor.clock().steady_now();
    for (const Wakening::Woken& woken : wakening.woken) queue_.wake(woken.key, woken.priority, now);
  }
  metrics_.woke(wakening.woken.size(), bindings_.size() - wakening.woken.size());
  tell_woken(wakening, changes);
  if (wakening.woken.empty()) co_return;
  kLog.debug("clusters changed", {{"clusters", changes.size()},
                                  {"first", changes.front().name},
                                  {"placements", wakening.placements},
                                  {"woken", wakening.woken.size()},
                                  {"bindings", bindings_.size()}});
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

}  // namespace flotilla::controllers
