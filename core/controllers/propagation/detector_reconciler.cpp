// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/detector_reconciler.hpp"

#include "core/api/names.hpp"
#include "core/controllers/propagation/build_binding.hpp"

namespace flotilla::controllers {
namespace {

Collection binding_collection(const BindingScope& scope) {
  return scope.kind.collection();
}

ObjectKey binding_key_of(const Json& object) {
  return {std::string(api::namespace_of(object)),
          api::binding_name(object["kind"].as_string(), api::name_of(object))};
}

const StoredKind& policy_kind(const Claim& claim) {
  return claim.by_cluster_policy() ? kinds::kClusterPropagationPolicy : kinds::kPropagationPolicy;
}

}  // namespace

DetectorReconciler::DetectorReconciler(Context& context, PolicyIndex& policies)
    : LoopController(context, "detector", {.workers = context.options.workers}),
      policies_(policies),
      bindings_by_policy_(context.informers, binding_collection(kNamespacedScope),
                          api::labels::kPropagationPolicyId),
      bindings_by_cluster_policy_(context.informers, binding_collection(kNamespacedScope),
                                  api::labels::kClusterPropagationPolicyId),
      cluster_bindings_by_cluster_policy_(context.informers, binding_collection(kClusterScope),
                                          api::labels::kClusterPropagationPolicyId),
      skipped_(*SkippedApis::parse(context.options.skipped_propagating_apis)),
      skipped_namespaces_(context.options.skipped_propagating_namespaces) {
  const Buckets buckets = exponential_buckets(0.001, 2, 12);
  matching_ = histogram_in(context.metrics, "resource_match_policy_duration_seconds",
                           "How long it takes to find a template's policy.", buckets);
  constexpr const char *kApply = "resource_apply_policy_duration_seconds",
                       *kHelp = "How long it takes to apply a policy to a template.";
  applied_ = histogram_in(context.metrics, kApply, kHelp, buckets, {{"result", "success"}});
  not_applied_ = histogram_in(context.metrics, kApply, kHelp, buckets, {{"result", "error"}});
  context.informers.on_any([this](const Event& event) { on_any(event); });
  for (const StoredKind* kind : {&kinds::kPropagationPolicy, &kinds::kClusterPropagationPolicy}) {
    context.informers.on(kind->collection(), [this](const Event& event) { on_policy(event); });
  }
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    context.informers.on(scope->kind.collection(), [this](const Event& event) { on_binding(event); });
  }
}

void DetectorReconciler::on_any(const Event& event) {
  const StoredKind* kind = template_kind(event.collection);
  if (kind == nullptr) return;
  const std::string& ns = event.object->ns();
  if (api::is_reserved_namespace(ns) || is_skipped_namespace(ns)) return;
  if (event.type == Event::Type::Modified && event.previous) {
    const auto before = event.previous->content();
    const auto after = event.object->content();
    if (!specification_changed(*before, *after)) return;
    // A lazy policy takes effect with the user's next change, not with our own marks.
    if (const auto claim = claim_on(*after); claim && changed_by_karmada(*before, *after)) {
      const auto policy = policies_.find({claim->name_space, claim->name});
      if (policy && policy->lazy()) return;
    }
  }
  enqueue(event);
}

// A binding that vanished while its template lives is made again.
void DetectorReconciler::on_binding(const Event& event) {
  if (event.type != Event::Type::Deleted) return;
  const auto content = event.object->content();
  const Json& resource = (*content)["spec"]["resource"];
  const auto kind =
      stored_kind(context_, api::Gvk::from(resource["apiVersion"].as_string(), resource["kind"].as_string()));
  if (!kind) return;
  loop_.enqueue(
      {kind->collection(),
       {std::string(resource["namespace"].as_string()), std::string(resource["name"].as_string())}});
}

// Null: not a template's. What nobody serves yet is asked for again next time.
const StoredKind* DetectorReconciler::template_kind(const Collection& collection) {
  const auto known = kinds_.find(collection);
  if (known != kinds_.end()) return known->second ? &*known->second : nullptr;
  const std::shared_ptr<const api::Registry> registry = context_.resources();
  for (const api::ResourcePtr& resource : registry->resources()) {
    if (!resource->storage || store::collection_of(resource->group, resource->resource) != collection)
      continue;
    std::optional<StoredKind>& kind = kinds_[collection];
    const bool watchable =
        resource->has_verb("list") && resource->has_verb("watch") && resource->has_verb("delete");
    if (watchable && !skipped_.contains(resource->group, resource->version, resource->kind))
      kind = StoredKind::of(*resource);
    return kind ? &*kind : nullptr;
  }
  return nullptr;
}

bool DetectorReconciler::is_skipped_namespace(const std::string& ns) {
  const auto [it, fresh] = skipped_namespace_.try_emplace(ns, false);
  if (fresh) it->second = !ns.empty() && std::regex_match(ns, skipped_namespaces_);
  return it->second;
}

Task<Outcome> DetectorReconciler::reconcile(Key key) {
  if (key.collection == kinds::kPropagationPolicy.collection() ||
      key.collection == kinds::kClusterPropagationPolicy.collection()) {
    auto step = reconcile_policy(key);
    co_return co_await std::move(step);
  }
  std::optional<StoredKind> kind;
  const std::shared_ptr<const api::Registry> registry = context_.resources();
  for (const api::ResourcePtr& resource : registry->resources()) {
    if (resource->storage && store::collection_of(resource->group, resource->resource) == key.collection) {
      kind = StoredKind::of(*resource);
    }
  }
  if (!kind) co_return Outcome::done();
  auto step = reconcile_template(key, *std::move(kind));
  co_return co_await std::move(step);
}

// 1. Gone, deleting or claimed by somebody else's label: nothing. 2. Claimed: the policy that claims it
// decides. 3. Else the best policy that means it. 4. None: wait for one.
Task<Outcome> DetectorReconciler::reconcile_template(Key key, StoredKind kind) {
  const ObjectPtr object = context_.get(kind, key.object);
  if (!object) {
    waiting_.erase(key);
    co_return Outcome::done();
  }
  const auto content = object->content();
  if (object->deleting() || !api::label_of(*content, api::labels::kClaimedBy).empty()) {
    waiting_.erase(key);
    co_return Outcome::done();
  }
  const auto claim = claim_on(*content);
  if (!claim) {
    auto matching = match(key, kind, object);
    co_return co_await std::move(matching);
  }
  const auto policy = policies_.find({claim->name_space, claim->name});
  if (!policy) {
    auto releasing = release_if_orphaned(key, kind, object, *claim);
    co_return co_await std::move(releasing);
  }
  if (policy->deleting()) {
    co_return Outcome::retry(Error(Code::Unavailable, "policy " + policy->name() + " is being deleted"));
  }
  if (policy->match(*content) == api::MatchPrecision::None) co_return Outcome::done();
  auto applying = apply(key, kind, object, policy);
  co_return co_await std::move(applying);
}

Task<Outcome> DetectorReconciler::release_if_orphaned(Key, StoredKind kind, ObjectPtr object, Claim claim) {
  // The index may be behind: the store has the last word.
  const ObjectKey policy{claim.name_space, claim.name};
  if (context_.get(policy_kind(claim), policy)) co_return Outcome::again_in(std::chrono::milliseconds(5));
  const auto content = object->content();
  const BindingScope& scope = scope_of_template(object->ns());
  auto unbinding = unclaim(scope.kind, binding_key_of(*content), claim);
  const Status unbound = co_await std::move(unbinding);
  if (!unbound) co_return Outcome::retry(unbound.error());
  auto unclaiming = unclaim(kind, object->key(), claim);
  co_return Outcome::of(co_await std::move(unclaiming));
}

Task<Outcome> DetectorReconciler::match(Key key, StoredKind kind, ObjectPtr object) {
  const auto content = object->content();
  const auto policies =
      policies_.in(object->ns().empty() ? std::string_view("\x01none") : std::string_view(object->ns()));
  const auto cluster_policies = policies_.cluster();
  const Clock& clock = context_.executor.clock();
  const SteadyTime began = clock.steady_now();
  const ClaimingPolicy* chosen = choose_policy(*content, *policies, *cluster_policies);
  matching_->observe(clock.steady_now() - began);
  if (chosen == nullptr) {
    waiting_.insert(key);
    co_return Outcome::done();
  }
  const auto policy = policies_.find({chosen->name_space(), chosen->name()});
  if (!policy) co_return Outcome::again_in(std::chrono::milliseconds(1));
  waiting_.erase(key);
  auto applying = apply(key, kind, object, policy);
  co_return co_await std::move(applying);
}

Task<Outcome> DetectorReconciler::apply(Key key, StoredKind kind, ObjectPtr object,
                                        std::shared_ptr<const ClaimingPolicy> policy) {
  const Clock& clock = context_.executor.clock();
  const SteadyTime began = clock.steady_now();
  auto applying = apply_now(key, kind, object, policy);
  Outcome outcome = co_await std::move(applying);
  const bool ok = outcome.kind() == Outcome::Kind::Done;
  (ok ? applied_ : not_applied_)->observe(clock.steady_now() - began);
  counter_in(context_.metrics, "policy_apply_attempts_total", "Tries to apply a policy to a template.",
             {{"result", ok ? "success" : "error"}})
      ->add();
  co_return outcome;
}

// 1. What the policy depends on is there. 2. Claim. 3. Binding.
Task<Outcome> DetectorReconciler::apply_now(Key, StoredKind kind, ObjectPtr object,
                                            std::shared_ptr<const ClaimingPolicy> policy) {
  const auto content = object->content();
  if (!has_dependent_overrides(*policy)) {
    co_return Outcome::retry(
        Error(Code::Unavailable, "waiting for dependent overrides of policy " + policy->name()));
  }
  const ObjectPtr policy_object =
      context_.get(policy_kind(policy->claim()), {policy->name_space(), policy->name()});
  if (!policy_object) co_return Outcome::again_in(std::chrono::milliseconds(5));
  const Claim claim = policy->claim();
  auto claiming = context_.writer.modify(
      kind, Part::Main, object->key(),
      [claim](Json& template_) -> Result<bool> { return set_claim(template_, claim); });
  const auto claimed = co_await std::move(claiming);
  if (!claimed)
    co_return claimed.error().is(Code::NotFound) ? Outcome::done() : Outcome::retry(claimed.error());

  auto putting = put_binding(kind, *claimed, *policy_object->content());
  const Status put = co_await std::move(putting);
  if (!put) {
    context_.events.record(*content, reconcile::kWarning, "ApplyPolicyFailed", put.error().message());
    co_return Outcome::retry(put.error());
  }
  co_return Outcome::done();
}

Task<Status> DetectorReconciler::put_binding(StoredKind, ObjectPtr object, Json policy) {
  const auto content = object->content();
  const auto find_priority_class = [this](const std::string& name) -> Result<std::int64_t> {
    const ObjectPtr found =
        context_.store.get(store::collection_of("scheduling.k8s.io", "priorityclasses"), "", name);
    if (!found) return not_found("priorityclasses.scheduling.k8s.io \"" + name + "\" not found");
    return (*found->content())["value"].as_int();
  };
  auto desired = build_binding(*content, policy, context_.interpreter, find_priority_class,
                               context_.options.feature_gates);
  if (!desired) co_return std::move(desired).context("build binding");
  const BindingScope& scope = scope_of_template(object->ns());
  const ObjectKey key = api::key_of(*desired);
  auto wanted = std::make_shared<const Json>(*std::move(desired));
  bool changed = false;
  if (!context_.get(scope.kind, key)) {
    auto creating = context_.writer.create(scope.kind, *wanted);
    const auto created = co_await std::move(creating);
    if (!created) co_return created.error();
    changed = true;
  } else {
    auto updating =
        context_.writer.modify(scope.kind, Part::Main, key, [wanted](Json& existing) -> Result<bool> {
          auto updated = update_binding(existing, *wanted);
          if (!updated) return updated.error();
          if (*updated == existing) return false;
          existing = *std::move(updated);
          return true;
        });
    const auto updated = co_await std::move(updating);
    if (!updated) co_return updated.error();
  }
  if (changed) {
    context_.events.record(*content, reconcile::kNormal, "ApplyPolicySucceed",
                           "Apply policy(" + api::key_of(policy).text() + ") succeed");
  }
  co_return Status();
}

bool DetectorReconciler::has_dependent_overrides(const ClaimingPolicy& policy) const {
  const StoredKind& kind = policy.cluster_scoped() ? kinds::kClusterOverridePolicy : kinds::kOverridePolicy;
  for (const std::string& name : policy.dependent_overrides()) {
    if (!context_.get(kind, {policy.name_space(), name})) return false;
  }
  return true;
}

}  // namespace flotilla::controllers
