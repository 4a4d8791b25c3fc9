// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/policy_index.hpp"

#include <algorithm>

namespace flotilla::controllers {

PolicyIndex::PolicyIndex(informer::Informers& informers) : all_(std::make_shared<const ByNamespace>()) {
  informers.on(kinds::kPropagationPolicy.collection(), [this](const Event& event) { follow(event); });
  informers.on(kinds::kClusterPropagationPolicy.collection(), [this](const Event& event) { follow(event); });
}

std::shared_ptr<const PolicyIndex::Policies> PolicyIndex::in(std::string_view ns) const {
  static const auto kNone = std::make_shared<const Policies>();
  const auto all = all_.load();
  const auto it = all->find(ns);
  return it == all->end() ? kNone : it->second;
}

std::shared_ptr<const ClaimingPolicy> PolicyIndex::find(const ObjectKey& key) const {
  const auto policies = in(key.ns);
  const auto it = std::find_if(policies->begin(), policies->end(),
                               [&](const auto& policy) { return policy->name() == key.name; });
  return it == policies->end() ? nullptr : *it;
}

void PolicyIndex::follow(const Event& event) {
  const ObjectKey& key = event.object->key();
  auto next = std::make_shared<Policies>(*in(key.ns));
  std::erase_if(*next, [&](const auto& policy) { return policy->name() == key.name; });
  if (event.type != Event::Type::Deleted) {
    next->push_back(std::make_shared<const ClaimingPolicy>(*event.object->content()));
  }
  auto all = std::make_shared<ByNamespace>(*all_.load());
  (*all)[key.ns] = std::move(next);
  all_.store(std::move(all));
}

}  // namespace flotilla::controllers
