// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/claimed_templates.hpp"

namespace flotilla::controllers {

void ClaimedTemplates::follow(const Event& event) {
  const reconcile::Key key{event.collection, event.object->key()};
  for (const std::string_view label :
       {api::labels::kPropagationPolicyId, api::labels::kClusterPropagationPolicyId}) {
    const std::string* before = event.previous ? event.previous->labels().find(label) : nullptr;
    const std::string* now = event.object->labels().find(label);
    if (event.type == Event::Type::Deleted) {
      before = before == nullptr ? now : before;
      now = nullptr;
    }
    if (before == nullptr && now == nullptr) continue;
    std::lock_guard lock(mutex_);
    if (before != nullptr && (now == nullptr || *before != *now)) erase(*before, key);
    if (now != nullptr && !now->empty()) templates_[*now].insert(key);
  }
}

void ClaimedTemplates::erase(std::string_view policy_id, const reconcile::Key& key) {
  const auto known = templates_.find(std::string(policy_id));
  if (known == templates_.end()) return;
  known->second.erase(key);
  if (known->second.empty()) templates_.erase(known);
}

std::vector<reconcile::Key> ClaimedTemplates::of(std::string_view policy_id) const {
  std::lock_guard lock(mutex_);
  const auto known = templates_.find(std::string(policy_id));
  if (known == templates_.end()) return {};
  return {known->second.begin(), known->second.end()};
}

}  // namespace flotilla::controllers
