// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/reservations.hpp"

#include <algorithm>

namespace flotilla::scheduler {

std::vector<Promise> Reservations::promises_of(const Binding& binding, std::int64_t replicas) {
  std::vector<Promise> promises;
  if (binding.components.size() > 1) {
    for (const Component& component : binding.components) {
      promises.push_back({component.replicas, component.requests});
    }
  } else if (replicas > 0) {
    promises.push_back({replicas, binding.requests});
  }
  return promises;
}

void Reservations::decided(const std::string& id, const Binding& binding,
                           std::span<const TargetCluster> before, std::span<const TargetCluster> after,
                           std::span<const Observation> seen, SteadyTime now) {
  std::vector<std::pair<std::string, Hold>> wanted;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const TargetCluster& target = after[i];
    const auto had = std::find_if(before.begin(), before.end(),
                                  [&](const TargetCluster& each) { return each.name == target.name; });
    const std::int64_t assigned = had == before.end() ? 0 : had->replicas;
    const std::int64_t in_flight = std::min(assigned, replicas_held(id, target.name));
    const std::int64_t further = target.replicas - (assigned - in_flight);
    const bool sets = binding.components.size() > 1 && had == before.end();
    if (further <= 0 && !sets) continue;
    Hold hold;
    hold.replicas = further;
    hold.promises = promises_of(binding, further);
    hold.print = seen[i].print;
    hold.until = now + rules_.longest;
    if (!hold.promises.empty()) wanted.emplace_back(target.name, std::move(hold));
  }
  forget(id);
  for (auto& [cluster, hold] : wanted) put(id, cluster, std::move(hold));
}

void Reservations::restored(const std::string& id, const Binding& binding, std::span<const Observation> seen,
                            Duration age, SteadyTime now) {
  if (age >= rules_.longest) return;
  for (std::size_t i = 0; i < binding.clusters.size(); ++i) {
    if (seen[i].healthy) continue;
    Hold hold;
    hold.replicas = binding.clusters[i].replicas;
    hold.promises = promises_of(binding, hold.replicas);
    hold.print = seen[i].print;
    hold.until = now + (rules_.longest - age);
    if (!hold.promises.empty()) put(id, binding.clusters[i].name, std::move(hold));
  }
}

void Reservations::observed(const std::string& id, const std::string& cluster, Observation seen,
                            SteadyTime now) {
  const auto held = holds_.find(id);
  if (held == holds_.end()) return;
  const auto it = held->second.find(cluster);
  if (it == held->second.end()) return;
  Hold& hold = it->second;
  // What was said before the decision says nothing about it.
  if (!seen.healthy || seen.print == hold.print || hold.healthy) return;
  hold.healthy = true;
  due_.erase({hold.until, {id, cluster}});
  hold.until = std::min(hold.until, now + rules_.settle);
  due_.insert({hold.until, {id, cluster}});
}

void Reservations::counted(const std::string& cluster) {
  const auto here = clusters_.find(cluster);
  if (here == clusters_.end()) return;
  const std::set<std::string> ids = here->second;
  for (const std::string& id : ids) {
    if (holds_.at(id).at(cluster).healthy) drop(id, cluster);
  }
}

void Reservations::forget(const std::string& id) {
  const auto held = holds_.find(id);
  if (held == holds_.end()) return;
  std::vector<std::string> clusters;
  for (const auto& [cluster, hold] : held->second) clusters.push_back(cluster);
  for (const std::string& cluster : clusters) drop(id, cluster);
}

void Reservations::expire(SteadyTime now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto [id, cluster] = due_.begin()->second;
    drop(id, cluster);
  }
}

std::int64_t Reservations::replicas_held(const std::string& id, const std::string& cluster) const {
  const auto held = holds_.find(id);
  if (held == holds_.end()) return 0;
  const auto hold = held->second.find(cluster);
  return hold == held->second.end() ? 0 : hold->second.replicas;
}

std::vector<Reservations::Change> Reservations::take_changes() {
  std::vector<Change> changes;
  for (const auto& [cluster, less] : changed_) {
    Change change{cluster, {}, less};
    const auto here = clusters_.find(cluster);
    if (here != clusters_.end()) {
      for (const std::string& id : here->second) {
        const Hold& hold = holds_.at(id).at(cluster);
        change.promises.insert(change.promises.end(), hold.promises.begin(), hold.promises.end());
      }
    }
    changes.push_back(std::move(change));
  }
  changed_.clear();
  return changes;
}

std::vector<std::pair<std::string, std::span<const Promise>>> Reservations::promised_in(
    const std::string& cluster) const {
  std::vector<std::pair<std::string, std::span<const Promise>>> promised;
  const auto here = clusters_.find(cluster);
  if (here == clusters_.end()) return promised;
  for (const std::string& id : here->second) promised.emplace_back(id, holds_.at(id).at(cluster).promises);
  return promised;
}

std::optional<SteadyTime> Reservations::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

std::size_t Reservations::size() const {
  return due_.size();
}

void Reservations::put(const std::string& id, const std::string& cluster, Hold hold) {
  drop(id, cluster);
  due_.insert({hold.until, {id, cluster}});
  holds_[id][cluster] = std::move(hold);
  clusters_[cluster].insert(id);
  changed_.try_emplace(cluster, false);
}

void Reservations::drop(const std::string& id, const std::string& cluster) {
  const auto held = holds_.find(id);
  if (held == holds_.end()) return;
  const auto it = held->second.find(cluster);
  if (it == held->second.end()) return;
  due_.erase({it->second.until, {id, cluster}});
  held->second.erase(it);
  changed_[cluster] = true;
  auto& here = clusters_.at(cluster);
  here.erase(id);
  if (here.empty()) clusters_.erase(cluster);
  if (held->second.empty()) holds_.erase(held);
}

}  // namespace flotilla::scheduler
