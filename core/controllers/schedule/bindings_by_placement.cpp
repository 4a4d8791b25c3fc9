// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/schedule/bindings_by_placement.hpp"

#include <algorithm>

#include "core/scheduler/standing.hpp"

namespace flotilla::controllers {

using scheduler::ClusterTable;
using scheduler::Standing;

void BindingsByPlacement::put(const reconcile::Key& key, Binding binding) {
  SharedKey shared_key{binding.placement->text, binding.term, binding.failed};
  const auto place = places_.find(key);
  if (place != places_.end() && place->second != shared_key) forget(key);
  Shared& shared = shared_[shared_key];
  if (!shared.placement) shared.placement = std::move(binding.placement);
  shared.members[key] = {binding.reruns, binding.priority};
  places_.insert_or_assign(key, std::move(shared_key));
}

void BindingsByPlacement::forget(const reconcile::Key& key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return;
  const auto shared = shared_.find(place->second);
  shared->second.members.erase(key);
  if (shared->second.members.empty()) shared_.erase(shared);
  places_.erase(place);
}

BindingsByPlacement::Effect BindingsByPlacement::effect(const ClusterTable& before, const ClusterTable& after,
                                                        const ChangedCluster& change, const SharedKey& key,
                                                        const Shared& shared) {
  const auto& [text, term, failed] = key;
  const bool helps = failed && (change.change.more_room || change.change.more_apis);
  if (!change.change.identity && !helps) return Effect::None;
  const Standing is = standing_of(after, after.find(change.name), *shared.placement, term, failed);
  if (helps && is.matches_any() && !is.deleting) return Effect::Some;
  const Standing was = standing_of(before, before.find(change.name), *shared.placement, term, failed);
  if (!differs(was, is)) return Effect::None;
  const bool gone = was.matches_any() && is.matches.empty();
  return gone || (is.deleting && !was.deleting) ? Effect::Leaving : Effect::Some;
}

Wakening BindingsByPlacement::wake(const ClusterTable& before, const ClusterTable& after,
                                   const std::vector<ChangedCluster>& changes) const {
  Wakening wakening;
  for (const auto& [key, shared] : shared_) {
    Effect most = Effect::None;
    for (const ChangedCluster& change : changes) {
      most = std::max(most, effect(before, after, change, key, shared));
      if (most == Effect::Leaving) break;
    }
    if (most == Effect::None) continue;
    ++wakening.placements;
    const bool failed = std::get<2>(key);
    for (const auto& [binding, member] : shared.members) {
      if (failed || member.reruns || most == Effect::Leaving)
        wakening.woken.push_back({binding, member.priority});
    }
  }
  return wakening;
}

}  // namespace flotilla::controllers
