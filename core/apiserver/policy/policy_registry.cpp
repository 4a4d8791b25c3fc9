// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/policy/policy_registry.hpp"

#include "core/apiserver/policy/type_checking.hpp"
#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kGroup = "admissionregistration.k8s.io";

store::Collection policies_collection() {
  return store::collection_of(kGroup, "validatingadmissionpolicies");
}
store::Collection bindings_collection() {
  return store::collection_of(kGroup, "validatingadmissionpolicybindings");
}

Task<void> observe(ServerPtr server, ObjectPtr policy) {
  Json content = *policy->content();
  const std::int64_t generation = policy->generation();
  if (policy->deleting() || std::as_const(content)["status"]["observedGeneration"].as_int() == generation)
    co_return;
  Json status = Json::object({{"observedGeneration", generation}});
  status.set("typeChecking", type_checking_of(content, server->catalog.served()->registry));
  content.set("status", std::move(status));
  auto updating = server->store.update(policies_collection(), std::move(content), policy->revision(),
                                       store::Durability::Derived);
  (void)co_await std::move(updating);
}

}  // namespace

std::shared_ptr<const Policies> PolicyRegistry::policies() const {
  const std::uint64_t wanted = wanted_.load(std::memory_order_acquire);
  if (empty_at_.load(std::memory_order_acquire) == wanted) return nullptr;
  auto current = built_.load(std::memory_order_acquire);
  if (!current || current->generation != wanted) {
    current = build(wanted, current.get());
    built_.store(current, std::memory_order_release);
    if (current->policies.empty()) empty_at_.store(wanted, std::memory_order_release);
  }
  if (current->policies.empty()) return nullptr;
  return {current, &current->policies};
}

std::shared_ptr<const PolicyRegistry::Built> PolicyRegistry::build(std::uint64_t generation,
                                                                   const Built* before) const {
  auto fresh = std::make_shared<Built>();
  fresh->generation = generation;
  std::map<std::string, std::vector<PolicyBindingPtr>> bindings;
  for (const auto& object : store_.list(bindings_collection()).objects) {
    PolicyBindingPtr binding = PolicyBinding::read(*object);
    bindings[binding->policy].push_back(std::move(binding));
  }
  for (const auto& object : store_.list(policies_collection()).objects) {
    const auto bound = bindings.find(object->name());
    if (bound == bindings.end()) continue;
    PolicyPtr policy;
    if (before != nullptr) {
      const auto old = before->compiled.find(object->name());
      if (old != before->compiled.end() && old->second->uid == object->uid() &&
          old->second->generation == object->generation())
        policy = old->second;
    }
    if (!policy) policy = AdmissionPolicy::read(*object);
    fresh->compiled[object->name()] = policy;
    fresh->policies.push_back({std::move(policy), std::move(bound->second)});
  }
  return fresh;
}

Task<void> follow_policies(ServerPtr server) {
  for (;;) {
    store::Snapshot snapshot = server->store.list(policies_collection());
    store::WatchRequest request;
    request.collection = policies_collection();
    request.after = snapshot.revision;
    auto subscription = server->store.watch(request);
    if (!subscription) co_return;
    server->policies.touch();
    for (const ObjectPtr& object : snapshot.objects) {
      auto observing = observe(server, object);
      co_await std::move(observing);
    }
    snapshot.objects.clear();
    for (;;) {
      auto waiting = (*subscription)->next();
      auto events = co_await std::move(waiting);
      if (!events && events.error().is(Code::Cancelled)) co_return;
      server->policies.touch();
      if (!events) break;
      for (const store::Event& event : *events) {
        if (!event.object || event.type == store::Event::Type::Deleted) continue;
        auto observing = observe(server, event.object);
        co_await std::move(observing);
      }
    }
  }
}

Task<void> follow_policy_bindings(ServerPtr server) {
  for (;;) {
    store::WatchRequest request;
    request.collection = bindings_collection();
    request.after = server->store.revision();
    auto subscription = server->store.watch(request);
    if (!subscription) co_return;
    server->policies.touch();
    for (;;) {
      auto waiting = (*subscription)->next();
      auto events = co_await std::move(waiting);
      if (!events && events.error().is(Code::Cancelled)) co_return;
      server->policies.touch();
      if (!events) break;
    }
  }
}

}  // namespace flotilla::apiserver
