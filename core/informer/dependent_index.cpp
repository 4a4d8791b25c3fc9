// SPDX-License-Identifier: Apache-2.0
#include "core/informer/dependent_index.hpp"

namespace flotilla::informer {

DependentIndex::DependentIndex(Informers& informers) {
  informers.on_any([this](const store::Event& event) { follow(event); });
}

std::vector<DependentIndex::Dependent> DependentIndex::of(std::string_view owner_uid) const {
  std::lock_guard lock(mutex_);
  const auto it = dependents_.find(std::string(owner_uid));
  if (it == dependents_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

void DependentIndex::follow(const store::Event& event) {
  const bool had = event.previous && !event.previous->owner_uids().empty();
  if (!had && event.object->owner_uids().empty()) return;
  std::lock_guard lock(mutex_);
  const auto forget = [&](const api::Object& object) {
    for (const std::string& uid : object.owner_uids()) {
      const auto it = dependents_.find(uid);
      if (it == dependents_.end()) continue;
      it->second.erase({event.collection, object.key()});
      if (it->second.empty()) dependents_.erase(it);
    }
  };
  if (event.previous) forget(*event.previous);
  if (event.type == store::Event::Type::Deleted) return forget(*event.object);
  for (const std::string& uid : event.object->owner_uids()) {
    dependents_[uid].insert({event.collection, event.object->key()});
  }
}

}  // namespace flotilla::informer
