// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/world_index.hpp"

namespace flotilla::controllers {

WorkIndex::WorkIndex(informer::Informers& informers)
    : namespaced_(informers, kinds::kWork.collection(), kNamespacedScope.id_label),
      cluster_(informers, kinds::kWork.collection(), kClusterScope.id_label) {}

std::vector<ObjectKey> WorkIndex::of(const BindingScope& scope, std::string_view binding_id) const {
  return (scope.namespaced ? namespaced_ : cluster_).with(binding_id);
}

void WorkIndex::note(const api::Object& work) {
  namespaced_.note(work);
  cluster_.note(work);
}

OverrideIndex::OverrideIndex(informer::Informers& informers, const overrides::RuleRegistry& rules)
    : rules_(rules),
      cluster_policies_(std::make_shared<const Policies>()),
      policies_(std::make_shared<const ByNamespace>()) {
  informers.on(kinds::kOverridePolicy.collection(), [this](const Event& event) { follow(event); });
  informers.on(kinds::kClusterOverridePolicy.collection(), [this](const Event& event) { follow(event); });
}

std::shared_ptr<const OverrideIndex::Policies> OverrideIndex::policies(std::string_view ns) const {
  static const auto kNone = std::make_shared<const Policies>();
  const std::shared_ptr<const ByNamespace> all = policies_.load();
  const auto it = all->find(ns);
  return it == all->end() ? kNone : it->second;
}

void OverrideIndex::follow(const Event& event) {
  const bool namespaced = event.collection == kinds::kOverridePolicy.collection();
  Named& named = namespaced ? named_ : cluster_named_;
  if (event.type == Event::Type::Deleted) {
    named.erase(event.object->key());
  } else {
    named[event.object->key()] =
        std::make_shared<const overrides::CompiledPolicy>(*event.object->content(), rules_);
  }
  if (!namespaced) return cluster_policies_.store(collect(named, ""));
  auto next = std::make_shared<ByNamespace>(*policies_.load());
  (*next)[event.object->ns()] = collect(named, event.object->ns());
  policies_.store(std::move(next));
}

std::shared_ptr<const OverrideIndex::Policies> OverrideIndex::collect(const Named& named,
                                                                      std::string_view ns) {
  auto found = std::make_shared<Policies>();
  for (auto it = named.lower_bound({std::string(ns), ""}); it != named.end() && it->first.ns == ns; ++it) {
    found->push_back(it->second);
  }
  return found;
}

}  // namespace flotilla::controllers
