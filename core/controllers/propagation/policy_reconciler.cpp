// SPDX-License-Identifier: Apache-2.0
// The policies' half of the detector.
#include <algorithm>

#include "core/api/names.hpp"
#include "core/controllers/give_way.hpp"
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
  if (same) return;
  if (context_.informers.synced()) mark_changed_by_user({event.collection, event.object->key()});
  enqueue(event);
  if (event.previous && context_.options.feature_gates.propagation_policy_preemption) {
    wake_preempting(ClaimingPolicy(*event.previous->content()), ClaimingPolicy(*event.object->content()));
  }
}

// A policy that waited for this one goes on.
void DetectorReconciler::on_override_policy(const Event& event) {
  if (event.type != Event::Type::Added) return;
  const ObjectKey& key = event.object->key();
  const StoredKind& kind = key.ns.empty() ? kinds::kClusterPropagationPolicy : kinds::kPropagationPolicy;
  const auto policies = policies_.in(key.ns);
  for (const PolicyPtr& policy : *policies) {
    const auto& names = policy->dependent_overrides();
    if (std::find(names.begin(), names.end(), key.name) == names.end()) continue;
    loop_.enqueue({kind.collection(), {key.ns, policy->name()}});
  }
}

Task<std::map<Key, Key>> DetectorReconciler::claimed_by(Claim claim) {
  Turns turns;
  std::map<Key, Key> claimed;
  std::vector<std::pair<const BindingScope*, std::vector<ObjectKey>>> bindings;
  if (claim.by_cluster_policy()) {
    bindings.emplace_back(&kNamespacedScope, bindings_by_cluster_policy_.with(claim.id));
    bindings.emplace_back(&kClusterScope, cluster_bindings_by_cluster_policy_.with(claim.id));
  } else {
    bindings.emplace_back(&kNamespacedScope, bindings_by_policy_.with(claim.id));
  }
  for (const auto& [scope, keys] : bindings) {
    for (const ObjectKey& key : keys) {
      auto waiting = turns.give_way();
      co_await std::move(waiting);
      const ObjectPtr binding = context_.get(scope->kind, key);
      if (!binding) continue;
      const auto content = binding->content();
      const Json& resource = (*content)["spec"]["resource"];
      const auto kind = stored_kind(
          context_, api::Gvk::from(resource["apiVersion"].as_string(), resource["kind"].as_string()));
      if (!kind) continue;
      claimed[{kind->collection(), {key.ns, std::string(resource["name"].as_string())}}] = {
          scope->kind.collection(), key};
    }
  }
  for (Key& key : claimed_.of(claim.id)) {
    const StoredKind* kind = kinds_.find(key.collection);
    if (kind == nullptr || claimed.contains(key)) continue;
    Key binding{scope_of_template(key.object.ns).kind.collection(),
                {key.object.ns, api::binding_name(kind->gvk.kind, key.object.name)}};
    claimed.emplace(std::move(key), std::move(binding));
  }
  co_return claimed;
}

// 1. Deleting: let go. 2. Templates that it no longer means are released, those it still means are looked at
// again. 3. Those that wait for a policy and are meant by this one are looked at. 4. It takes what it may.
Task<Outcome> DetectorReconciler::reconcile_policy(Key key) {
  const bool cluster_policy = key.collection == kinds::kClusterPropagationPolicy.collection();
  const StoredKind& kind = cluster_policy ? kinds::kClusterPropagationPolicy : kinds::kPropagationPolicy;
  const ObjectPtr object = context_.get(kind, key.object);
  if (!object) co_return Outcome::done();
  if (object->deleting()) {
    auto letting_go = let_policy_go(key, object);
    co_return co_await std::move(letting_go);
  }
  const auto policy = std::make_shared<const ClaimingPolicy>(*object->content());
  const std::string finalizer(finalizer_of(policy->claim()));
  auto guarding = context_.writer.modify(
      kind, Part::Main, key.object,
      [finalizer](Json& stored) -> Result<bool> { return api::add_finalizer(stored, finalizer); });
  const auto guarded = co_await std::move(guarding);
  if (!guarded && !guarded.error().is(Code::NotFound)) co_return Outcome::retry(guarded.error());

  auto looking = look_at_claimed(policy);
  const Status looked = co_await std::move(looking);
  if (!looked) co_return Outcome::retry(looked.error());
  auto waking = wake_waiting(policy);
  const std::size_t woken = co_await std::move(waking);
  if (take_changed_by_user(key)) tell_reach(*object->content(), *policy, woken);
  if (!policy->preempts() || !context_.options.feature_gates.propagation_policy_preemption)
    co_return Outcome::done();
  auto preempting = preempt(policy);
  co_return Outcome::of(co_await std::move(preempting));
}

Task<Status> DetectorReconciler::look_at_claimed(PolicyPtr policy) {
  Turns turns;
  auto asking = claimed_by(policy->claim());
  const std::map<Key, Key> claimed = co_await std::move(asking);
  for (const auto& [template_key, binding_key] : claimed) {
    auto waiting = turns.give_way();
    co_await std::move(waiting);
    const ObjectPtr object =
        context_.store.get(template_key.collection, template_key.object.ns, template_key.object.name);
    if (!object) continue;
    if (policy->match(*object->content()) != api::MatchPrecision::None) {
      if (!policy->lazy()) loop_.enqueue(template_key, reconcile::kBackground);
      continue;
    }
    auto releasing = release(template_key, binding_key, policy->claim(), First::Template);
    Status released = co_await std::move(releasing);
    if (!released) co_return released;
  }
  co_return Status();
}

// Only what its selectors can mean is looked at.
Task<std::size_t> DetectorReconciler::wake_waiting(PolicyPtr policy) {
  Turns turns;
  std::size_t woken = 0;
  std::set<Collection> collections;
  for (const api::ResourceSelector& selector : policy->selectors()) {
    const auto kind = stored_kind(context_, api::Gvk::from(selector.api_version(), selector.kind()));
    if (kind) collections.insert(kind->collection());
  }
  for (const Collection& collection : collections) {
    Key at{collection, {policy->name_space(), ""}};
    for (;;) {
      // While others have their turn the set may change.
      auto waiting = turns.give_way();
      co_await std::move(waiting);
      const auto next = waiting_.upper_bound(at);
      if (next == waiting_.end() || next->collection != collection) break;
      if (!policy->cluster_scoped() && next->object.ns != policy->name_space()) break;
      at = *next;
      const ObjectPtr object = context_.store.get(at.collection, at.object.ns, at.object.name);
      if (object && policy->match(*object->content()) != api::MatchPrecision::None) {
        loop_.enqueue(at, reconcile::kBackground);
        ++woken;
      }
    }
  }
  co_return woken;
}

// What a policy does not reach, for who wrote it: kinds that nobody serves, templates that another policy
// has, or nothing at all.
void DetectorReconciler::tell_reach(const Json& object, const ClaimingPolicy& policy, std::size_t woken) {
  const std::string id = policy.claim().id;
  for (const api::ResourceSelector& selector : policy.selectors()) {
    const auto kind = stored_kind(context_, api::Gvk::from(selector.api_version(), selector.kind()));
    if (!kind) {
      context_.events.record(object, reconcile::kWarning, "ApplyPolicyFailed",
                             "Nothing serves " + selector.api_version() + ", kind " + selector.kind() +
                                 ": install its definition, or correct spec.resourceSelectors");
      continue;
    }
    if (selector.name().empty() || policy.preempts()) continue;
    const std::string& ns = policy.cluster_scoped() ? selector.name_space() : policy.name_space();
    const ObjectPtr found = context_.get(*kind, {kind->namespaced ? ns : "", selector.name()});
    const auto held = found ? claim_on(*found->content()) : std::nullopt;
    if (!held || held->id == id) continue;
    const std::string holder = held->by_cluster_policy()
                                   ? "ClusterPropagationPolicy " + held->name
                                   : "PropagationPolicy " + held->name_space + "/" + held->name;
    context_.events.record(object, reconcile::kWarning, "ApplyPolicyFailed",
                           selector.kind() + " " + found->key().text() + " stays with " + holder +
                               ", which claimed it first: delete that, take the template out of its "
                               "resourceSelectors, or preempt it");
  }
  if (woken > 0 || !claimed_.of(id).empty()) return;
  context_.events.record(object, reconcile::kNormal, "NoResourceMatched",
                         "No resource template that is not claimed yet matches spec.resourceSelectors; the "
                         "policy takes effect with the first that does");
}

Task<Outcome> DetectorReconciler::let_policy_go(Key key, ObjectPtr object) {
  Turns turns;
  const Claim claim = claim_by(*object->content());
  auto asking = claimed_by(claim);
  const std::map<Key, Key> claimed = co_await std::move(asking);
  for (const auto& [template_key, binding_key] : claimed) {
    auto waiting = turns.give_way();
    co_await std::move(waiting);
    auto releasing = release(template_key, binding_key, claim, First::Binding);
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

// Takes the claim off a template and its binding. The event of the template makes it look for another policy.
Task<Status> DetectorReconciler::release(Key template_key, Key binding_key, Claim claim, First first) {
  const bool template_first = first == First::Template;
  auto one = unclaim(template_first ? template_key : binding_key, claim);
  Status done = co_await std::move(one);
  if (!done) co_return done;
  auto other = unclaim(template_first ? binding_key : template_key, claim);
  co_return co_await std::move(other);
}

Task<Status> DetectorReconciler::unclaim(Key key, Claim claim) {
  const StoredKind* kind = kinds_.find(key.collection);
  if (kind == nullptr || !context_.get(*kind, key.object)) co_return Status();
  auto writing = context_.writer.modify(*kind, Part::Main, key.object, [claim](Json& object) -> Result<bool> {
    return claim.by_cluster_policy() ? remove_cluster_policy_claim(object, claim.id)
                                     : remove_policy_claim(object, claim.id);
  });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return written.error();
  co_return Status();
}

}  // namespace flotilla::controllers
