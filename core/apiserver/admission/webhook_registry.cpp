// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/webhook_registry.hpp"

namespace flotilla::apiserver {

std::shared_ptr<const Webhooks> WebhookRegistry::webhooks() const {
  const std::uint64_t wanted = wanted_.load(std::memory_order_acquire);
  if (empty_at_.load(std::memory_order_acquire) == wanted) return nullptr;
  auto current = built_.load(std::memory_order_acquire);
  if (!current || current->generation != wanted) {
    auto fresh = std::make_shared<Built>();
    fresh->generation = wanted;
    const Webhooks* before = current ? &current->webhooks : nullptr;
    read("mutatingwebhookconfigurations", true, before ? &before->mutating : nullptr,
         fresh->webhooks.mutating);
    read("validatingwebhookconfigurations", false, before ? &before->validating : nullptr,
         fresh->webhooks.validating);
    built_.store(fresh, std::memory_order_release);
    current = fresh;
    if (fresh->webhooks.mutating.empty() && fresh->webhooks.validating.empty()) {
      empty_at_.store(wanted, std::memory_order_release);
      return nullptr;
    }
  }
  return {current, &current->webhooks};
}

// Configurations come in the order of their names.
void WebhookRegistry::read(std::string_view resource, bool mutating, const std::vector<WebhookPtr>* before,
                           std::vector<WebhookPtr>& into) const {
  const auto collection = store::collection_of("admissionregistration.k8s.io", resource);
  for (const auto& object : store_.list(collection).objects) {
    const auto content = object->content();
    for (const Json& webhook : (*content)["webhooks"].elements()) {
      auto fresh = Webhook::read(object->name(), webhook, mutating);
      if (before != nullptr) {
        for (const WebhookPtr& old : *before) {
          if (old->name == fresh->name && old->configuration == fresh->configuration)
            fresh->stats = old->stats;
        }
      }
      into.push_back(std::move(fresh));
    }
  }
}

}  // namespace flotilla::apiserver
