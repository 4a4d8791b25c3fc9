// SPDX-License-Identifier: Apache-2.0
#include "core/informer/owner_index.hpp"

namespace flotilla::informer {

OwnerIndex::OwnerIndex(Informers& informers, const store::Collection& collection) {
  informers.on(collection, [this](const store::Event& event) { follow(event); });
}

std::vector<api::ObjectKey> OwnerIndex::owned_by(std::string_view uid) const {
  std::lock_guard lock(mutex_);
  const auto it = owned_.find(std::string(uid));
  if (it == owned_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

void OwnerIndex::follow(const store::Event& event) {
  std::lock_guard lock(mutex_);
  const auto forget = [&](const api::Object& object) {
    for (const std::string& uid : object.owner_uids()) {
      const auto it = owned_.find(uid);
      if (it == owned_.end()) continue;
      it->second.erase(object.key());
      if (it->second.empty()) owned_.erase(it);
    }
  };
  if (event.previous) forget(*event.previous);
  if (event.type == store::Event::Type::Deleted) return forget(*event.object);
  for (const std::string& uid : event.object->owner_uids()) owned_[uid].insert(event.object->key());
}

}  // namespace flotilla::informer
