// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/attached_bindings.hpp"

namespace flotilla::controllers {

AttachedBindings::AttachedBindings(informer::Informers& informers) {
  informers.on(kinds::kResourceBinding.collection(), [this](const Event& event) { follow(event); });
}

std::vector<ObjectKey> AttachedBindings::of(const std::string& label) const {
  std::lock_guard lock(mutex_);
  const auto found = attached_.find(label);
  if (found == attached_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

void AttachedBindings::note(const api::Object& binding) {
  std::lock_guard lock(mutex_);
  for (const auto& [key, value] : binding.labels().pairs) {
    if (key.starts_with(api::labels::kDependedByPrefix)) attached_[key].insert(binding.key());
  }
}

void AttachedBindings::follow(const Event& event) {
  const bool gone = event.type == Event::Type::Deleted;
  if (event.previous || gone) {
    const api::Object& before = event.previous ? *event.previous : *event.object;
    std::lock_guard lock(mutex_);
    for (const auto& [key, value] : before.labels().pairs) {
      if (!key.starts_with(api::labels::kDependedByPrefix)) continue;
      if (!gone && event.object->labels().find(key) != nullptr) continue;
      const auto known = attached_.find(key);
      if (known == attached_.end()) continue;
      known->second.erase(before.key());
      if (known->second.empty()) attached_.erase(known);
    }
  }
  if (!gone) note(*event.object);
}

}  // namespace flotilla::controllers
