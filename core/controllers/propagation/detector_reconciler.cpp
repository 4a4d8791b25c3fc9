// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/detector_reconciler.hpp"

#include "core/api/names.hpp"
#include "core/controllers/interpretation.hpp"
#include "core/controllers/propagation/build_binding.hpp"

namespace flotilla::controllers {
namespace {

Collection binding_collection(const BindingScope& scope) {
  return scope.kind.collection();
}

const StoredKind& policy_kind(const Claim& claim) {
  return claim.by_cluster_policy() ? kinds::kClusterPropagationPolicy : kinds::kPropagationPolicy;
}

// As events name the policy.
std::string title_of(const ClaimingPolicy& policy) {
  return policy.cluster_scoped() ? "cluster policy(" + policy.name() + ")"
                                 : "policy(" + policy.name_space() + "/" + policy.name() + ")";
}

ServedKinds::Filter templates_only(const Options& options) {
  return [skipped = *SkippedApis::parse(options.skipped_propagating_apis)](const api::Resource& resource) {
    return resource.has_verb("list") && resource.has_verb("watch") && resource.has_verb("delete") &&
           !skipped.contains(resource.group, resource.version, resource.kind);
  };
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
      skipped_namespaces_(*SkippedNamespaces::parse(context.options.skipped_propagating_namespaces)),
      template_kinds_(context.resources, templates_only(context.options)),
      kinds_(context.resources),
      reinterpretation_(
          context, loop_,
          {interpreter::Operation::InterpretReplica, interpreter::Operation::InterpretComponent}) {
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
  for (const StoredKind* kind : {&kinds::kOverridePolicy, &kinds::kClusterOverridePolicy}) {
    context.informers.on(kind->collection(), [this](const Event& event) { on_override_policy(event); });
  }
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    context.informers.on(scope->kind.collection(), [this](const Event& event) { on_binding(event); });
  }
}

void DetectorReconciler::on_any(const Event& event) {
  const StoredKind* kind = template_kinds_.find(event.collection);
  if (kind == nullptr) return;
  claimed_.follow(event);
  const std::string& ns = event.object->ns();
  if (is_skipped_namespace(ns) || is_servers_own(kind->gvk.kind, ns, event.object->name())) return;
  const Key key{event.collection, event.object->key()};
  if (event.type == Event::Type::Modified && event.previous) {
    const auto before = event.previous->content();
    const auto after = event.object->content();
    if (!specification_changed(*before, *after)) return;
    // A lazy policy takes effect with the user's next change, not with our own marks.
    if (const auto claim = claim_on(*after); claim && changed_by_karmada(*before, *after)) {
      const auto policy = policies_.find({claim->name_space, claim->name});
      if (policy && policy->lazy()) return enqueue(event);
    }
  }
  if (event.type != Event::Type::Deleted) mark_changed_by_user(key);
  enqueue(event);
}

// A binding that vanished while its template lives is made again.
void DetectorReconciler::on_binding(const Event& event) {
  if (event.type != Event::Type::Deleted) return;
  const auto key = template_key(*event.object->content());
  if (!key) return;
  mark_changed_by_user(*key);
  loop_.enqueue(*key);
}

std::optional<Key> DetectorReconciler::template_key(const Json& binding) const {
  const Json& resource = binding["spec"]["resource"];
  const auto kind =
      stored_kind(context_, api::Gvk::from(resource["apiVersion"].as_string(), resource["kind"].as_string()));
  if (!kind) return std::nullopt;
  return Key{kind->collection(),
             {std::string(resource["namespace"].as_string()), std::string(resource["name"].as_string())}};
}

bool DetectorReconciler::is_skipped_namespace(const std::string& ns) {
  const auto [it, fresh] = skipped_namespace_.try_emplace(ns, false);
  if (fresh) it->second = skipped_namespaces_.contains(ns);
  return it->second;
}

void DetectorReconciler::mark_changed_by_user(const Key& key) {
  std::lock_guard lock(changed_mutex_);
  changed_by_user_.insert(key);
}

bool DetectorReconciler::take_changed_by_user(const Key& key) {
  std::lock_guard lock(changed_mutex_);
  return changed_by_user_.erase(key) > 0;
}

Task<Outcome> DetectorReconciler::reconcile(Key key) {
  if (key.collection == kinds::kPropagationPolicy.collection() ||
      key.collection == kinds::kClusterPropagationPolicy.collection()) {
    auto step = reconcile_policy(key);
    co_return co_await std::move(step);
  }
  if (Reinterpretation::is_key(key)) {
    Reinterpretation::Wake wake = [this](const Json& binding, const Key&) {
      if (const auto due = template_key(binding)) loop_.enqueue(*due, reconcile::kBackground);
    };
    auto spreading = reinterpretation_.spread(key, binding_collections(), std::move(wake));
    co_await std::move(spreading);
    co_return Outcome::done();
  }
  const bool by_user = take_changed_by_user(key);
  const StoredKind* kind = kinds_.find(key.collection);
  Look look{key, kind == nullptr ? StoredKind() : *kind, nullptr, by_user};
  if (kind != nullptr) look.object = context_.get(*kind, key.object);
  if (!look.object) {
    waiting_.erase(key);
    co_return Outcome::done();
  }
  auto step = reconcile_template(std::move(look));
  Outcome outcome = co_await std::move(step);
  if (by_user && outcome.kind() != Outcome::Kind::Done) mark_changed_by_user(key);
  co_return outcome;
}

// 1. Deleting or claimed by somebody else's label: nothing. 2. Claimed: the policy that claims it decides.
// 3. Else the best policy that means it. 4. None: wait for one.
Task<Outcome> DetectorReconciler::reconcile_template(Look look) {
  const auto content = look.object->content();
  if (look.object->deleting() || !api::label_of(*content, api::labels::kClaimedBy).empty()) {
    waiting_.erase(look.key);
    co_return Outcome::done();
  }
  const auto claim = claim_on(*content);
  if (!claim) {
    auto matching = match(std::move(look));
    co_return co_await std::move(matching);
  }
  const PolicyPtr policy = policies_.find({claim->name_space, claim->name});
  if (!policy) {
    auto releasing = release_if_orphaned(std::move(look), *claim);
    co_return co_await std::move(releasing);
  }
  if (policy->deleting()) {
    co_return Outcome::retry(Error(Code::Unavailable, "policy " + policy->name() + " is being deleted"));
  }
  if (policy->match(*content) == api::MatchPrecision::None) co_return Outcome::done();
  auto applying = apply(std::move(look), policy);
  co_return co_await std::move(applying);
}

Task<Outcome> DetectorReconciler::release_if_orphaned(Look look, Claim claim) {
  // The index may be behind: the store has the last word.
  const ObjectKey policy{claim.name_space, claim.name};
  if (context_.get(policy_kind(claim), policy)) co_return Outcome::again_in(std::chrono::milliseconds(5));
  const ObjectKey& key = look.object->key();
  const Key binding{scope_of_template(key.ns).kind.collection(),
                    {key.ns, api::binding_name(look.kind.gvk.kind, key.name)}};
  auto releasing = release(look.key, binding, claim, First::Binding);
  co_return Outcome::of(co_await std::move(releasing));
}

Task<Outcome> DetectorReconciler::match(Look look) {
  const auto content = look.object->content();
  const auto policies = policies_.in(look.object->ns());
  const auto cluster_policies = policies_.cluster();
  const Clock& clock = context_.executor.clock();
  const SteadyTime began = clock.steady_now();
  const ClaimingPolicy* chosen = choose_policy(*content, *policies, *cluster_policies);
  matching_->observe(clock.steady_now() - began);
  if (chosen == nullptr) {
    waiting_.insert(look.key);
    co_return Outcome::done();
  }
  const PolicyPtr policy = policies_.find({chosen->name_space(), chosen->name()});
  if (!policy) co_return Outcome::again_in(std::chrono::milliseconds(1));
  auto applying = apply(std::move(look), policy);
  co_return co_await std::move(applying);
}

Task<Outcome> DetectorReconciler::apply(Look look, PolicyPtr policy) {
  const auto content = look.object->content();
  if (const std::string missing = missing_override(*policy); !missing.empty()) {
    // Whoever creates it wakes the policy, and the policy what waits.
    waiting_.insert(look.key);
    if (look.by_user) mark_changed_by_user(look.key);
    context_.events.record(*content, reconcile::kWarning, "ApplyPolicyFailed",
                           "Apply " + title_of(*policy) + " failed: waiting for dependent override " +
                               missing + ": create it or take it out of spec.dependentOverrides");
    co_return Outcome::done();
  }
  waiting_.erase(look.key);
  const Clock& clock = context_.executor.clock();
  const SteadyTime began = clock.steady_now();
  auto applying = apply_now(std::move(look), policy);
  const Result<bool> applied = co_await std::move(applying);
  const bool ok = applied.ok() || applied.error().is(Code::NotFound);
  (ok ? applied_ : not_applied_)->observe(clock.steady_now() - began);
  counter_in(context_.metrics, "policy_apply_attempts_total", "Tries to apply a policy to a template.",
             {{"result", ok ? "success" : "error"}})
      ->add();
  if (!ok) {
    context_.events.record(*content, reconcile::kWarning, "ApplyPolicyFailed",
                           "Apply " + title_of(*policy) + " failed: " + applied.error().message());
    co_return Outcome::retry(applied.error());
  }
  if (applied.ok() && *applied) {
    context_.events.record(*content, reconcile::kNormal, "ApplyPolicySucceed",
                           "Apply " + title_of(*policy) + " succeed");
  }
  co_return Outcome::done();
}

Task<Result<bool>> DetectorReconciler::apply_now(Look look, PolicyPtr policy) {
  const ObjectPtr policy_object =
      context_.get(policy_kind(policy->claim()), {policy->name_space(), policy->name()});
  if (!policy_object) co_return false;  // its index entry goes with the next event
  auto claiming = claim_template(look.kind, look.object->key(), policy->claim());
  const auto claimed = co_await std::move(claiming);
  if (!claimed) co_return claimed.error().is(Code::NotFound) ? Result<bool>(false) : claimed.error();
  if (policy->lazy() && !look.by_user) co_return false;
  auto putting = put_binding(*claimed, *policy_object->content());
  const Result<bool> put = co_await std::move(putting);
  // The binding is for this template alone: what is not found is something it needs.
  if (!put && put.error().is(Code::NotFound)) co_return Error(Code::Unavailable, put.error().message());
  co_return put;
}

Task<Result<ObjectPtr>> DetectorReconciler::claim_template(StoredKind kind, ObjectKey key, Claim claim) {
  auto claiming = context_.writer.modify(
      std::move(kind), Part::Main, std::move(key),
      [claim](Json& template_) -> Result<bool> { return set_claim(template_, claim); });
  co_return co_await std::move(claiming);
}

Task<Result<bool>> DetectorReconciler::put_binding(ObjectPtr object, Json policy) {
  const auto content = object->content();
  const auto find_priority_class = [this](const std::string& name) -> Result<std::int64_t> {
    const ObjectPtr found =
        context_.store.get(store::collection_of("scheduling.k8s.io", "priorityclasses"), "", name);
    if (!found) return not_found("priorityclasses.scheduling.k8s.io \"" + name + "\" not found");
    return (*found->content())["value"].as_int();
  };
  const api::FeatureGates& gates = context_.options.feature_gates;
  std::function<Result<Json>(const interpreter::Interpreter&)> scaling =
      [content, &gates](const interpreter::Interpreter& interpreter) {
        return scale_of(*content, interpreter, gates);
      };
  auto deciding = decide(context_, std::move(scaling));
  const Result<Json> scale = co_await std::move(deciding);
  if (!scale) {
    tell_scale(*content, scale);
    co_return scale.error();
  }
  auto desired = build_binding(*content, policy, *scale, find_priority_class, gates);
  if (!desired) co_return desired.error();
  const BindingScope& scope = scope_of_template(object->ns());
  const ObjectKey key = api::key_of(*desired);
  auto wanted = std::make_shared<const Json>(*std::move(desired));
  auto changed = std::make_shared<bool>(true);
  if (!context_.get(scope.kind, key)) {
    auto creating = context_.writer.create(scope.kind, *wanted);
    const auto created = co_await std::move(creating);
    if (!created) co_return created.error();
  } else {
    auto updating = context_.writer.modify(scope.kind, Part::Main, key,
                                           [wanted, changed](Json& existing) -> Result<bool> {
                                             auto updated = update_binding(existing, *wanted);
                                             if (!updated) return updated.error();
                                             *changed = !(*updated == existing);
                                             if (*changed) existing = *std::move(updated);
                                             return *changed;
                                           });
    const auto updated = co_await std::move(updating);
    if (!updated) co_return updated.error();
  }
  if (*changed) tell_scale(*content, scale);
  co_return *changed;
}

// What the interpreter made of the template.
void DetectorReconciler::tell_scale(const Json& object, const Result<Json>& scale) {
  using interpreter::Operation;
  const bool components = context_.options.feature_gates.multiple_pod_templates_scheduling &&
                          context_.interpreter.supports(object, Operation::InterpretComponent);
  if (!components && !context_.interpreter.supports(object, Operation::InterpretReplica)) return;
  if (!scale) {
    return context_.events.record(object, reconcile::kWarning,
                                  components ? "GetComponentsFailed" : "GetReplicasFailed",
                                  scale.error().message());
  }
  context_.events.record(
      object, reconcile::kNormal, components ? "GetComponentsSucceed" : "GetReplicasSucceed",
      components ? "Get components succeed."
                 : "Get replicas(" + std::to_string((*scale)["replicas"].as_int()) + ") succeed.");
}

std::string DetectorReconciler::missing_override(const ClaimingPolicy& policy) const {
  const StoredKind& kind = policy.cluster_scoped() ? kinds::kClusterOverridePolicy : kinds::kOverridePolicy;
  for (const std::string& name : policy.dependent_overrides()) {
    if (!context_.get(kind, {policy.name_space(), name})) return kind.gvk.kind + " " + name;
  }
  return {};
}

}  // namespace flotilla::controllers
