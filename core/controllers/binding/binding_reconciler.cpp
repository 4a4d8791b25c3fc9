// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/binding/binding_reconciler.hpp"

#include <algorithm>

#include "core/api/binding.hpp"
#include "core/api/manifest.hpp"
#include "core/api/names.hpp"
#include "core/api/resource_selector.hpp"
#include "core/controllers/templates.hpp"

namespace flotilla::controllers {
namespace {

constexpr Duration kPurgeAgain = std::chrono::seconds(5);

// Labels, annotations and finalizers are merged, spec is replaced.
bool merge_work(Json& object, const Json& wanted) {
  const Json before = object;
  for (const std::string_view part : {"labels", "annotations"}) {
    for (const auto& [key, value] : wanted["metadata"][part].members())
      object.make({"metadata", part, key}) = value;
  }
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

BindingReconciler::BindingReconciler(Context& context, WorkIndex& works, OverrideIndex& overrides)
    : LoopController(context, "binding",
                     {.workers = context.options.workers, .timed_as = "binding_sync_work_duration_seconds"}),
      works_(works),
      overrides_(overrides) {
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

// Every binding whose template the policy's selectors mean; a policy without selectors means all.
void BindingReconciler::on_override_policy(const Event& event) {
  if (event.type == Event::Type::Modified && event.previous &&
      event.previous->generation() == event.object->generation()) {
    return;
  }
  const bool cluster_policy = event.object->ns().empty();
  const auto content = event.object->content();
  const auto selectors = api::resource_selectors((*content)["spec"]["resourceSelectors"]);
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    if (!cluster_policy && !scope->namespaced) continue;
    const Collection collection = scope->kind.collection();
    for (const ObjectPtr& binding : context_.store.list(collection, event.object->ns()).objects) {
      const auto template_ = template_of_binding(context_, *binding->content());
      if (!template_) continue;
      const auto template_content = template_->object->content();
      if (!selectors.empty() && api::match_any(selectors, *template_content) == api::MatchPrecision::None)
        continue;
      loop_.enqueue({collection, binding->key()}, reconcile::kBackground);
    }
  }
}

// A Work that vanished although nobody here let it go is made again.
void BindingReconciler::on_work(const Event& event) {
  if (event.type != Event::Type::Deleted) return;
  const auto binding = binding_of_work(*event.object->content());
  if (binding) loop_.enqueue({binding->scope->kind.collection(), binding->key});
}

// 1. Deleting: let go. 2. Works in clusters that are no longer wanted go. 3. A cluster purged directly must
// be empty before anything else is made. 4. Render, write what differs.
Task<Outcome> BindingReconciler::reconcile(Key key) {
  const BindingScope& scope = scope_of(key.collection);
  const ObjectPtr binding = context_.get(scope.kind, key.object);
  if (!binding) co_return Outcome::done();
  if (binding->deleting()) {
    auto letting_go = let_go(scope, binding);
    co_return co_await std::move(letting_go);
  }
  const auto content = binding->content();
  auto removing = remove_orphans(scope, binding, api::clusters_with_works(*content));
  const Status removed = co_await std::move(removing);
  if (!removed) co_return Outcome::retry(removed.error());
  if (is_waiting_for_purge(scope, *content)) co_return Outcome::again_in(kPurgeAgain);

  const auto template_ = template_of_binding(context_, *content);
  if (!template_) co_return Outcome::done();
  const auto template_content = template_->object->content();
  Rendered rendered = render(*content, *template_content);
  std::string errors;
  for (const RenderFailure& failure : rendered.failures) {
    errors += (errors.empty() ? "" : "; ") + failure.cluster + ": " + failure.error.message();
  }
  for (RenderedWork& work : rendered.works) {
    auto putting = put_work(std::move(work.work));
    const Status put = co_await std::move(putting);
    if (!put) errors += (errors.empty() ? "" : "; ") + work.cluster + ": " + put.error().message();
  }
  if (!errors.empty()) {
    context_.events.record(*content, reconcile::kWarning, "SyncWorkFailed", errors);
    context_.events.record(*template_content, reconcile::kWarning, "SyncWorkFailed", errors);
    co_return Outcome::retry(Error(Code::Unavailable, errors));
  }
  co_return Outcome::done();
}

Task<Outcome> BindingReconciler::let_go(const BindingScope& scope, ObjectPtr binding) {
  const auto content = binding->content();
  if (!api::has_finalizer(*content, scope.finalizer)) co_return Outcome::done();
  auto removing = remove_orphans(scope, binding, {});
  const Status removed = co_await std::move(removing);
  if (!removed) co_return Outcome::retry(removed.error());
  const std::string finalizer(scope.finalizer);
  auto freeing = context_.writer.modify(
      scope.kind, Part::Main, binding->key(),
      [finalizer](Json& object) -> Result<bool> { return api::remove_finalizer(object, finalizer); });
  const auto freed = co_await std::move(freeing);
  if (!freed && !freed.error().is(Code::NotFound)) co_return Outcome::retry(freed.error());
  co_return Outcome::done();
}

Task<Status> BindingReconciler::remove_orphans(const BindingScope& scope, ObjectPtr binding,
                                               std::vector<std::string> keep) {
  const auto content = binding->content();
  for (const ObjectKey& key : works_.of(scope, api::label_of(*content, scope.id_label))) {
    const auto cluster = api::cluster_of_execution_namespace(key.ns);
    if (cluster && std::binary_search(keep.begin(), keep.end(), *cluster)) continue;
    const ObjectPtr work = context_.get(kinds::kWork, key);
    if (!work || work->deleting()) continue;
    store::DeleteOptions options;
    options.propagation = "Background";
    auto removing = context_.writer.remove(kinds::kWork, key, std::move(options));
    const auto removed = co_await std::move(removing);
    if (!removed && !removed.error().is(Code::NotFound)) co_return removed.error();
  }
  co_return Status();
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

Rendered BindingReconciler::render(const Json& binding, const Json& template_) const {
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
  return render_works({binding, template_, find, *cluster_policies, *policies, context_.interpreter});
}

Task<Status> BindingReconciler::put_work(Json work) {
  const ObjectKey key = api::key_of(work);
  if (const ObjectPtr present = context_.get(kinds::kWork, key); !present) {
    auto creating = context_.writer.create(kinds::kWork, std::move(work));
    const auto created = co_await std::move(creating);
    if (!created) co_return created.error();
    works_.note(**created);
    co_return Status();
  } else if (present->deleting()) {
    co_return Error(Code::Conflict, "work " + key.text() + " is being deleted");
  }
  auto wanted = std::make_shared<const Json>(std::move(work));
  auto changing =
      context_.writer.modify(kinds::kWork, Part::Main, key,
                             [wanted](Json& object) -> Result<bool> { return merge_work(object, *wanted); });
  const auto changed = co_await std::move(changing);
  if (!changed) co_return changed.error();
  works_.note(**changed);
  co_return Status();
}

}  // namespace flotilla::controllers
