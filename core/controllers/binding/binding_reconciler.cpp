// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/binding/binding_reconciler.hpp"

#include <algorithm>

#include "core/api/binding.hpp"
#include "core/api/manifest.hpp"
#include "core/api/names.hpp"
#include "core/controllers/give_way.hpp"
#include "core/controllers/interpretation.hpp"
#include "core/controllers/templates.hpp"

namespace flotilla::controllers {
namespace {

constexpr Duration kPurgeAgain = std::chrono::seconds(5);
// By then a write of ours has been noted as such.
constexpr Duration kOwnWriteKnown = std::chrono::milliseconds(100);

// What went wrong where, once each: many clusters may share one error.
class ClusterErrors {
 public:
  void add(const std::string& cluster, const std::string& error) { clusters_[error].push_back(cluster); }
  std::string text() const {
    constexpr std::size_t kNamed = 3;
    std::string text;
    for (const auto& [error, clusters] : clusters_) {
      text += text.empty() ? "" : "; ";
      for (std::size_t i = 0; i < std::min(kNamed, clusters.size()); ++i)
        text += (i == 0 ? "" : ", ") + clusters[i];
      if (clusters.size() > kNamed) text += " and " + std::to_string(clusters.size() - kNamed) + " more";
      text += ": " + error;
    }
    return text;
  }

 private:
  std::map<std::string, std::vector<std::string>> clusters_;
};

// Labels, annotations and finalizers are merged, spec is replaced.
bool merge_work(Json& object, const Json& wanted) {
  const Json before = object;
  for (const std::string_view part : {"labels", "annotations"}) {
    for (const auto& [key, value] : wanted["metadata"][part].members())
      object.make({"metadata", part, key}) = value;
  }
  // Wanted again: whatever was held against it is off.
  if (!api::annotation_of(object, api::annotations::kRemovalCause).empty())
    object["metadata"]["annotations"].erase(api::annotations::kRemovalCause);
  api::add_finalizer(object, api::finalizers::kExecution);
  Json spec = wanted["spec"];
  // The permanent id is in the manifest from the second time on; so is its key in the list of managed labels.
  const std::string_view id = api::label_of(before, api::labels::kWorkId);
  if (!id.empty()) {
    for (Json& manifest : spec["workload"]["manifests"].elements()) api::record_managed_keys(manifest, id);
  }
  object.set("spec", std::move(spec));
  return !(object == before);
}

}  // namespace

BindingReconciler::BindingReconciler(Context& context, WorkIndex& works, OverrideIndex& overrides,
                                     RemovalGuard& guard)
    : LoopController(context, "binding",
                     {.workers = context.options.workers, .timed_as = "binding_sync_work_duration_seconds"}),
      works_(works),
      overrides_(overrides),
      guard_(guard),
      reinterpretation_(context, loop_, {interpreter::Operation::ReviseReplica}) {
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    context.informers.on(scope->kind.collection(), [this](const Event& event) { on_binding(event); });
  }
  for (const StoredKind* kind : {&kinds::kOverridePolicy, &kinds::kClusterOverridePolicy}) {
    context.informers.on(kind->collection(), [this](const Event& event) { on_override_policy(event); });
  }
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) { on_work(event); });
}

void BindingReconciler::on_binding(const Event& event) {
  const bool same = event.type == Event::Type::Modified && event.previous &&
                    event.previous->generation() == event.object->generation() &&
                    event.previous->deleting() == event.object->deleting();
  if (!same) enqueue(event);
}

// Bindings whose template the policy means, or meant before: a policy without selectors means all.
void BindingReconciler::on_override_policy(const Event& event) {
  if (event.type == Event::Type::Modified && event.previous &&
      event.previous->generation() == event.object->generation()) {
    return;
  }
  // At the start every binding is due anyway.
  if (!context_.informers.synced() && event.type == Event::Type::Added) return;
  const Key key{event.collection, event.object->key()};
  {
    std::lock_guard lock(mutex_);
    std::vector<Selectors>& meant = to_spread_[key];
    for (const ObjectPtr& policy : {event.object, event.previous}) {
      if (!policy) continue;
      const auto content = policy->content();
      meant.push_back(api::resource_selectors((*content)["spec"]["resourceSelectors"]));
    }
  }
  loop_.enqueue(key, reconcile::kBackground);
}

// A Work that vanished is made again, one that somebody else changed is put right. While a removal is held,
// how other Works fare matters too.
void BindingReconciler::on_work(const Event& event) {
  if (event.type == Event::Type::Added) return;
  const auto now = event.object->content();
  if (event.type == Event::Type::Deleted) {
    const auto binding = binding_of_work(*now);
    if (binding) loop_.enqueue({binding->scope->kind.collection(), binding->key});
    return;
  }
  const auto before = event.previous->content();
  const auto same = [&](std::string_view part) {
    return (*before)["metadata"][part] == (*now)["metadata"][part];
  };
  if (event.previous->generation() == event.object->generation() && same("labels") && same("annotations") &&
      same("finalizers")) {
    if (any_held_ && !((*before)["status"] == (*now)["status"])) enqueue(event);
    return;
  }
  own_.saw(*event.object);
  loop_.enqueue_after({event.collection, event.object->key()}, kOwnWriteKnown);
}

void BindingReconciler::look_at_work(const Key& key) {
  const bool foreign = own_.take_foreign(key.object);
  if (!foreign && held_.empty()) return;
  const ObjectPtr work = context_.get(kinds::kWork, key.object);
  if (!work || work->deleting()) return;
  const auto ref = binding_of_work(*work->content());
  if (!ref) return;
  const Key binding{ref->scope->kind.collection(), ref->key};
  if (foreign || held_.contains(binding)) loop_.enqueue(binding);
}

Task<void> BindingReconciler::spread(Key policy) {
  std::vector<Selectors> meant;
  {
    std::lock_guard lock(mutex_);
    const auto found = to_spread_.find(policy);
    if (found != to_spread_.end()) meant = std::move(found->second);
    if (found != to_spread_.end()) to_spread_.erase(found);
  }
  const bool cluster_policy = policy.collection == kinds::kClusterOverridePolicy.collection();
  for (const Selectors& selectors : meant) {
    for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
      if (!cluster_policy && !scope->namespaced) continue;
      auto spreading = spread_in(scope->kind.collection(), policy.object.ns, selectors);
      co_await std::move(spreading);
    }
  }
}

Task<void> BindingReconciler::spread_in(Collection bindings, std::string ns, Selectors selectors) {
  Turns turns;
  const auto all = context_.store.list(bindings, ns).objects;
  for (const ObjectPtr& binding : all) {
    auto waiting = turns.give_way();
    co_await std::move(waiting);
    const auto template_ = template_of_binding(context_, *binding->content());
    if (!template_) continue;
    if (!selectors.empty() &&
        api::match_any(selectors, *template_->object->content()) == api::MatchPrecision::None)
      continue;
    loop_.enqueue({bindings, binding->key()}, reconcile::kBackground);
  }
}

Task<Outcome> BindingReconciler::reconcile(Key key) {
  if (key.collection == kinds::kWork.collection()) {
    look_at_work(key);
    co_return Outcome::done();
  }
  if (key.collection == kinds::kOverridePolicy.collection() ||
      key.collection == kinds::kClusterOverridePolicy.collection()) {
    auto spreading = spread(key);
    co_await std::move(spreading);
    co_return Outcome::done();
  }
  if (Reinterpretation::is_key(key)) {
    auto spreading = reinterpretation_.spread(key, binding_collections(), reinterpretation_.its_own());
    co_await std::move(spreading);
    co_return Outcome::done();
  }
  const BindingScope& scope = scope_of(key.collection);
  const ObjectPtr binding = context_.get(scope.kind, key.object);
  if (!binding || binding->deleting()) held_.erase(key);
  if (!binding) co_return Outcome::done();
  auto step = binding->deleting() ? let_go(scope, binding) : reconcile_binding(scope, binding);
  co_return co_await std::move(step);
}

// 1. Works in clusters that are no longer wanted go, as far as the guard lets them. 2. A cluster purged
// directly must be empty before anything else is made. 3. Render, write what differs.
Task<Outcome> BindingReconciler::reconcile_binding(const BindingScope& scope, ObjectPtr binding) {
  const auto content = binding->content();
  auto removing = remove_orphans(scope, binding, api::clusters_with_works(*content));
  auto holds = co_await std::move(removing);
  if (!holds) {
    if (!holds.error().is(Code::Conflict))
      context_.events.record(*content, reconcile::kWarning, "CleanupWorkFailed", holds.error().message());
    co_return Outcome::retry(holds.error());
  }
  auto reporting = report_holds(scope, binding, *std::move(holds));
  const auto held = co_await std::move(reporting);
  if (!held) co_return Outcome::retry(held.error());
  if (is_waiting_for_purge(scope, *content)) co_return Outcome::again_in(kPurgeAgain);
  auto syncing = sync_works(scope, binding);
  Outcome synced = co_await std::move(syncing);
  if (synced.kind() == Outcome::Kind::Done && *held) co_return Outcome::again_in(**held);
  co_return synced;
}

Task<Result<std::optional<Duration>>> BindingReconciler::report_holds(BindingScope scope, ObjectPtr binding,
                                                                      RemovalGuard::Holds holds) {
  const Key key{scope.kind.collection(), binding->key()};
  std::optional<Duration> again;
  for (const auto& [cluster, hold] : holds)
    again = std::min(hold.look_again_in, again.value_or(Duration::max()));
  if (again) {
    held_.insert(key);
  } else {
    held_.erase(key);
  }
  any_held_ = !held_.empty();
  auto reporting = guard_.report(scope, binding, api::conditions::kRemovalHeld, std::move(holds));
  const Status reported = co_await std::move(reporting);
  if (!reported) co_return reported.error();
  co_return again;
}

// Each cluster on its own: what fails for one does not hold up the others.
Task<Outcome> BindingReconciler::sync_works(const BindingScope&, ObjectPtr binding) {
  const auto content = binding->content();
  const auto template_ = template_of_binding(context_, *content);
  if (!template_) co_return Outcome::done();
  const auto template_content = template_->object->content();
  std::function<Rendered(const interpreter::Interpreter&)> rendering =
      [&](const interpreter::Interpreter& interpreter) {
        return render(*content, *template_content, interpreter);
      };
  auto deciding = decide(context_, std::move(rendering));
  Rendered rendered = co_await std::move(deciding);
  ClusterErrors errors;
  Code code = Code::ResourceExhausted;  // as long as nothing else is wrong
  for (const RenderFailure& failure : rendered.failures) {
    errors.add(failure.cluster, failure.error.message());
    if (!interpreter::is_still_asked(failure.error)) code = Code::Unavailable;
  }
  bool changed = false;
  for (RenderedWork& work : rendered.works) {
    auto putting = put_work(std::move(work.work));
    const Result<bool> put = co_await std::move(putting);
    if (!put) {
      errors.add(work.cluster, put.error().message());
      code = Code::Unavailable;
    }
    changed |= put.ok() && *put;
  }
  const std::string text = errors.text();
  tell(*content, *template_content, rendered, text, changed);
  co_return text.empty() ? Outcome::done() : Outcome::retry(Error(code, text));
}

// On the binding and on its template.
void BindingReconciler::tell(const Json& binding, const Json& template_, const Rendered& rendered,
                             const std::string& errors, bool changed) {
  for (const RenderFailure& failure : rendered.failures) {
    if (!failure.by_override) continue;
    context_.events.record(template_, reconcile::kWarning, "ApplyOverridePolicyFailed",
                           failure.error.message());
  }
  if (changed) {
    for (const std::string& policy : rendered.overridden_by) {
      context_.events.record(template_, reconcile::kNormal, "ApplyOverridePolicySucceed",
                             "Apply " + policy + " succeed.");
    }
  }
  if (errors.empty() && !changed) return;
  const std::string title =
      std::string(binding["kind"].as_string()) + "(" + api::key_of(binding).text() + ")";
  for (const Json* object : {&binding, &template_}) {
    if (errors.empty()) {
      context_.events.record(*object, reconcile::kNormal, "SyncWorkSucceed",
                             "Sync work of " + title + " successful.");
    } else {
      context_.events.record(*object, reconcile::kWarning, "SyncWorkFailed",
                             "Failed to sync work of " + title + ": " + errors);
    }
  }
}

Task<Outcome> BindingReconciler::let_go(const BindingScope& scope, ObjectPtr binding) {
  const auto content = binding->content();
  if (!api::has_finalizer(*content, scope.finalizer)) co_return Outcome::done();
  const bool template_exists = template_of_binding(context_, *content).has_value();
  const api::RemovalCause cause = removal_cause_of_deletion(*content, template_exists, context_.now());
  std::size_t going = 0;
  for (const ObjectKey& key : works_.of(scope, api::label_of(*content, scope.id_label))) {
    const ObjectPtr work = context_.get(kinds::kWork, key);
    if (!work || work->deleting()) continue;
    auto removing = guard_.remove(key, cause);
    const Status removed = co_await std::move(removing);
    if (!removed) {
      context_.events.record(*content, reconcile::kWarning, "CleanupWorkFailed", removed.error().message());
      co_return Outcome::retry(removed.error());
    }
    ++going;
  }
  if (going > 0) {
    context_.events.record(*content, reconcile::kNormal, "WorkRemoved",
                           std::to_string(going) + " Works are removed: " + cause.text());
  }
  const std::string finalizer(scope.finalizer);
  auto freeing = context_.writer.modify(
      scope.kind, Part::Main, binding->key(),
      [finalizer](Json& object) -> Result<bool> { return api::remove_finalizer(object, finalizer); });
  const auto freed = co_await std::move(freeing);
  if (!freed && !freed.error().is(Code::NotFound)) co_return Outcome::retry(freed.error());
  co_return Outcome::done();
}

Task<Result<RemovalGuard::Holds>> BindingReconciler::remove_orphans(BindingScope scope, ObjectPtr binding,
                                                                    std::vector<std::string> keep) {
  using Answer = Result<RemovalGuard::Holds>;
  const auto content = binding->content();
  RemovalGuard::Holds holds;
  for (const ObjectKey& key : works_.of(scope, api::label_of(*content, scope.id_label))) {
    const auto cluster = api::cluster_of_execution_namespace(key.ns);
    if (!cluster || std::binary_search(keep.begin(), keep.end(), *cluster)) continue;
    const ObjectPtr work = context_.get(kinds::kWork, key);
    if (!work || work->deleting()) continue;
    auto releasing = guard_.release(scope, binding, key);
    auto hold = co_await std::move(releasing);
    if (!hold) co_return Answer(hold.error());
    if (*hold) holds.emplace_back(*cluster, **std::move(hold));
  }
  co_return Answer(std::move(holds));
}

bool BindingReconciler::is_waiting_for_purge(const BindingScope& scope, const Json& binding) const {
  const std::vector<std::string> purged = api::clusters_purged_directly(binding);
  if (purged.empty()) return false;
  for (const ObjectKey& key : works_.of(scope, api::label_of(binding, scope.id_label))) {
    const auto cluster = api::cluster_of_execution_namespace(key.ns);
    if (cluster && std::find(purged.begin(), purged.end(), *cluster) != purged.end() &&
        context_.get(kinds::kWork, key)) {
      return true;
    }
  }
  return false;
}

Rendered BindingReconciler::render(const Json& binding, const Json& template_,
                                   const interpreter::Interpreter& interpreter) const {
  std::map<std::string, std::shared_ptr<const Json>, std::less<>> clusters;
  const auto find = [&](std::string_view name) -> const Json* {
    const auto [it, fresh] = clusters.try_emplace(std::string(name));
    if (fresh) {
      const ObjectPtr cluster = context_.get(kinds::kCluster, {"", std::string(name)});
      if (cluster) it->second = cluster->content();
    }
    return it->second.get();
  };
  const auto cluster_policies = overrides_.cluster_policies();
  const auto policies = overrides_.policies(api::namespace_of(template_));
  return render_works({binding, template_, find, *cluster_policies, *policies, interpreter,
                       context_.options.feature_gates.stateful_failover_injection});
}

Task<Result<bool>> BindingReconciler::put_work(Json work) {
  const ObjectKey key = api::key_of(work);
  if (const ObjectPtr present = context_.get(kinds::kWork, key); !present) {
    auto creating = context_.writer.create(kinds::kWork, std::move(work));
    const auto created = co_await std::move(creating);
    if (!created) co_return created.error();
    works_.note(**created);
    co_return true;
  } else if (present->deleting()) {
    co_return Error(Code::Conflict, "work " + key.text() + " is being deleted");
  }
  auto wanted = std::make_shared<const Json>(std::move(work));
  auto wrote = std::make_shared<bool>(false);
  auto changing =
      context_.writer.modify(kinds::kWork, Part::Main, key, [wanted, wrote](Json& object) -> Result<bool> {
        *wrote = merge_work(object, *wanted);
        return *wrote;
      });
  const auto changed = co_await std::move(changing);
  if (!changed) co_return changed.error();
  if (*wrote) own_.wrote(**changed);
  works_.note(**changed);
  co_return *wrote;
}

}  // namespace flotilla::controllers
