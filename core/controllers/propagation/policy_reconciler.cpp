// SPDX-License-Identifier: Apache-2.0
// The policies' half of the detector.
#include "core/controllers/propagation/detector_reconciler.hpp"

namespace flotilla::controllers {
namespace {

std::string_view finalizer_of(const Claim& claim) {
  return claim.by_cluster_policy() ? api::finalizers::kClusterPropagationPolicy
                                   : api::finalizers::kPropagationPolicy;
}

}  // namespace

void DetectorReconciler::on_policy(const Event& event) {
  if (event.type == Event::Type::Deleted) return;
  const bool same = event.previous && event.previous->generation() == event.object->generation() &&
                    event.previous->deleting() == event.object->deleting();
  if (!same) enqueue(event);
}

std::vector<Key> DetectorReconciler::bindings_of(const Claim& claim) const {
  std::vector<Key> keys;
  const auto add = [&](const informer::LabelIndex& index, const BindingScope& scope) {
    for (ObjectKey& key : index.with(claim.id)) keys.push_back({scope.kind.collection(), std::move(key)});
  };
  if (claim.by_cluster_policy()) {
    add(bindings_by_cluster_policy_, kNamespacedScope);
    add(cluster_bindings_by_cluster_policy_, kClusterScope);
  } else {
    add(bindings_by_policy_, kNamespacedScope);
  }
  return keys;
}

// 1. Deleting: let go. 2. Templates that it no longer means are released. 3. Those it has are looked at
// again. 4. Those that wait for a policy and are meant by this one are looked at.
Task<Outcome> DetectorReconciler::reconcile_policy(Key key) {
  const bool cluster_policy = key.collection == kinds::kClusterPropagationPolicy.collection();
  const StoredKind& kind = cluster_policy ? kinds::kClusterPropagationPolicy : kinds::kPropagationPolicy;
  const ObjectPtr object = context_.get(kind, key.object);
  if (!object) co_return Outcome::done();
  if (object->deleting()) {
    auto letting_go = let_policy_go(key, object);
    co_return co_await std::move(letting_go);
  }
  const auto content = object->content();
  const auto policy = std::make_shared<const ClaimingPolicy>(*content);
  const std::string finalizer(finalizer_of(policy->claim()));
  auto guarding = context_.writer.modify(
      kind, Part::Main, key.object,
      [finalizer](Json& stored) -> Result<bool> { return api::add_finalizer(stored, finalizer); });
  const auto guarded = co_await std::move(guarding);
  if (!guarded && !guarded.error().is(Code::NotFound)) co_return Outcome::retry(guarded.error());

  for (const Key& binding : bindings_of(policy->claim())) {
    auto releasing = release(binding, policy->claim(), true, policy);
    const Status released = co_await std::move(releasing);
    if (!released) co_return Outcome::retry(released.error());
  }
  if (!policy->lazy()) {
    for (const Key& binding : bindings_of(policy->claim())) {
      const ObjectPtr bound = context_.store.get(binding.collection, binding.object.ns, binding.object.name);
      if (!bound) continue;
      const auto template_ = template_of_binding(context_, *bound->content());
      if (template_)
        loop_.enqueue({template_->kind.collection(), template_->object->key()}, reconcile::kBackground);
    }
  }
  wake_waiting(*policy);
  co_return Outcome::done();
}

void DetectorReconciler::wake_waiting(const ClaimingPolicy& policy) {
  for (const Key& key : waiting_) {
    const ObjectPtr object = context_.store.get(key.collection, key.object.ns, key.object.name);
    if (object && policy.match(*object->content()) != api::MatchPrecision::None) {
      loop_.enqueue(key, reconcile::kBackground);
    }
  }
}

Task<Outcome> DetectorReconciler::let_policy_go(Key key, ObjectPtr object) {
  const auto content = object->content();
  const Claim claim = claim_by(*content);
  for (const Key& binding : bindings_of(claim)) {
    auto releasing = release(binding, claim, false, nullptr);
    const Status released = co_await std::move(releasing);
    if (!released) co_return Outcome::retry(released.error());
  }
  const std::string finalizer(finalizer_of(claim));
  const StoredKind& kind =
      claim.by_cluster_policy() ? kinds::kClusterPropagationPolicy : kinds::kPropagationPolicy;
  auto freeing = context_.writer.modify(
      kind, Part::Main, key.object,
      [finalizer](Json& stored) -> Result<bool> { return api::remove_finalizer(stored, finalizer); });
  const auto freed = co_await std::move(freeing);
  if (!freed && !freed.error().is(Code::NotFound)) co_return Outcome::retry(freed.error());
  co_return Outcome::done();
}

// Takes the claim off a binding and its template; with `only_unmatched`, unless the policy still means the
// template.
Task<Status> DetectorReconciler::release(Key binding_key, Claim claim, bool only_unmatched,
                                         std::shared_ptr<const ClaimingPolicy> policy) {
  const BindingScope& scope = scope_of(binding_key.collection);
  const ObjectPtr binding = context_.get(scope.kind, binding_key.object);
  if (!binding) co_return Status();
  const auto template_ = template_of_binding(context_, *binding->content());
  if (only_unmatched) {
    if (!template_ || policy->match(*template_->object->content()) != api::MatchPrecision::None)
      co_return Status();
    // The template first: its event makes it look for another policy.
    auto unclaiming = unclaim(template_->kind, template_->object->key(), claim);
    const Status unclaimed = co_await std::move(unclaiming);
    if (!unclaimed) co_return unclaimed;
    auto unbinding = unclaim(scope.kind, binding_key.object, claim);
    co_return co_await std::move(unbinding);
  }
  auto unbinding = unclaim(scope.kind, binding_key.object, claim);
  const Status unbound = co_await std::move(unbinding);
  if (!unbound || !template_) co_return unbound;
  auto unclaiming = unclaim(template_->kind, template_->object->key(), claim);
  co_return co_await std::move(unclaiming);
}

Task<Status> DetectorReconciler::unclaim(StoredKind kind, ObjectKey key, Claim claim) {
  auto writing = context_.writer.modify(kind, Part::Main, key, [claim](Json& object) -> Result<bool> {
    return claim.by_cluster_policy() ? remove_cluster_policy_claim(object, claim.id)
                                     : remove_policy_claim(object, claim.id);
  });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return written.error();
  co_return Status();
}

}  // namespace flotilla::controllers
