// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/namespace_sync/namespace_sync_reconciler.hpp"

#include <algorithm>

#include "core/api/names.hpp"
#include "core/api/resource_selector.hpp"
#include "core/api/wrap_manifest.hpp"
#include "core/controllers/give_way.hpp"
#include "core/controllers/put_work.hpp"
#include "core/overrides/applied_text.hpp"

namespace flotilla::controllers {
namespace {

// By then a change of ours and what it brings about are over.
constexpr Duration kGather = std::chrono::milliseconds(100);

bool is_true(std::string_view text) {
  return text.size() == 4 &&
         std::equal(text.begin(), text.end(), "true", [](char a, char b) { return (a | 0x20) == b; });
}

const Json* owning_namespace(const Json& work) {
  for (const Json& owner : work.at({"metadata", "ownerReferences"}).elements()) {
    if (owner["kind"].as_string() == "Namespace" && owner["apiVersion"].as_string() == "v1") return &owner;
  }
  return nullptr;
}

Json make_work(const Json& ns, const std::string& cluster, const overrides::Outcome& outcome) {
  Json manifest = outcome.manifest;
  if (Json* spec = manifest.find("spec")) spec->erase("finalizers");
  api::WorkFrame frame;
  frame.cluster = cluster;
  frame.finalizers = {std::string(api::finalizers::kExecution)};
  if (!outcome.applied_cluster_overrides.is_null()) {
    frame.annotations.set(api::annotations::kAppliedClusterOverrides,
                          overrides::applied_text(outcome.applied_cluster_overrides));
  }
  Json work = api::wrap_manifest(std::move(manifest), frame);
  work.make({"metadata", "ownerReferences"}) = Json::array({Json::object({{"apiVersion", "v1"},
                                                                          {"kind", "Namespace"},
                                                                          {"name", ns["metadata"]["name"]},
                                                                          {"uid", ns["metadata"]["uid"]},
                                                                          {"controller", true},
                                                                          {"blockOwnerDeletion", true}})});
  return work;
}

// Whether a ClusterOverridePolicy may change what becomes of namespaces.
bool means_namespaces(const api::Object& policy) {
  const auto content = policy.content();
  const auto selectors = api::resource_selectors((*content)["spec"]["resourceSelectors"]);
  return selectors.empty() || std::any_of(selectors.begin(), selectors.end(), [](const auto& selector) {
           return selector.api_version() == "v1" && selector.kind() == "Namespace";
         });
}

}  // namespace

NamespaceSyncReconciler::NamespaceSyncReconciler(Context& context, OverrideIndex& overrides,
                                                 RemovalGuard& guard)
    : LoopController(context, "namespace-sync"),
      overrides_(overrides),
      guard_(guard),
      skipped_(*SkippedNamespaces::parse(context.options.skipped_propagating_namespaces)) {
  context.informers.on(kinds::kNamespace.collection(), [this](const Event& event) {
    const bool same = event.previous && event.previous->deleting() == event.object->deleting() &&
                      (*event.previous->content())["metadata"]["annotations"] ==
                          (*event.object->content())["metadata"]["annotations"] &&
                      event.previous->labels().pairs == event.object->labels().pairs;
    if (!same) enqueue(event);
  });
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) {
    if (event.type == Event::Type::Added && context_.informers.synced()) enqueue(event);
  });
  context.informers.on(kinds::kClusterOverridePolicy.collection(),
                       [this](const Event& event) { on_override_policy(event); });
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) { on_work(event); });
}

void NamespaceSyncReconciler::on_override_policy(const Event& event) {
  const bool same = event.type == Event::Type::Modified && event.previous &&
                    event.previous->generation() == event.object->generation();
  if (same) return;
  if (means_namespaces(*event.object) || (event.previous && means_namespaces(*event.previous))) wake_all();
}

void NamespaceSyncReconciler::on_work(const Event& event) {
  if (event.type == Event::Type::Added || event.object->owner_uids().empty()) return;
  if (event.type == Event::Type::Modified && event.previous->generation() == event.object->generation())
    return;
  const auto content = event.object->content();
  const Json* owner = owning_namespace(*content);
  if (owner == nullptr) return;
  loop_.enqueue_after({kinds::kNamespace.collection(), {"", std::string((*owner)["name"].as_string())}},
                      kGather);
}

void NamespaceSyncReconciler::wake_all() {
  const auto all = context_.store.list(kinds::kNamespace.collection()).objects;
  for (const ObjectPtr& ns : all)
    loop_.enqueue({kinds::kNamespace.collection(), ns->key()}, reconcile::kBackground);
}

bool NamespaceSyncReconciler::is_propagated(const Json& ns) const {
  const std::string name(api::name_of(ns));
  return name != "default" && !skipped_.contains(name) &&
         !is_true(api::label_of(ns, api::labels::kSkipAutoPropagation));
}

Task<Outcome> NamespaceSyncReconciler::reconcile(Key key) {
  if (key.collection == kinds::kCluster.collection()) {
    const ObjectPtr cluster = context_.get(kinds::kCluster, key.object);
    if (!cluster || cluster->deleting()) co_return Outcome::done();
    auto step = reconcile_cluster(cluster);
    co_return co_await std::move(step);
  }
  const ObjectPtr ns = context_.get(kinds::kNamespace, key.object);
  if (!ns || !is_propagated(*ns->content())) co_return Outcome::done();
  if (ns->deleting()) {
    auto letting_go = let_go(ns);
    co_return co_await std::move(letting_go);
  }
  auto syncing = sync(ns->content(), context_.store.list(kinds::kCluster.collection()).objects);
  // The execution namespace of a new cluster may not be there yet.
  co_return Outcome::of(co_await std::move(syncing));
}

Task<Outcome> NamespaceSyncReconciler::let_go(ObjectPtr ns) {
  const std::string work = api::work_name("Namespace", ns->name(), "");
  const api::RemovalCause cause{api::RemovalReason::TemplateDeleted,
                                "user",
                                "Namespace " + ns->name() + " was deleted",
                                format_time(context_.now()),
                                {}};
  const auto clusters = context_.store.list(kinds::kCluster.collection()).objects;
  for (const ObjectPtr& cluster : clusters) {
    auto telling = guard_.announce({api::execution_namespace(cluster->name()), work}, cause);
    const Status told = co_await std::move(telling);
    if (!told) co_return Outcome::retry(told.error());
  }
  co_return Outcome::done();
}

Task<Outcome> NamespaceSyncReconciler::reconcile_cluster(ObjectPtr cluster) {
  Turns turns;
  Status all;
  const auto namespaces = context_.store.list(kinds::kNamespace.collection()).objects;
  for (const ObjectPtr& ns : namespaces) {
    auto waiting = turns.give_way();
    co_await std::move(waiting);
    if (ns->deleting() || !is_propagated(*ns->content())) continue;
    auto syncing = sync(ns->content(), std::vector<ObjectPtr>(1, cluster));
    Status done = co_await std::move(syncing);
    if (!done) all = std::move(done);
  }
  co_return Outcome::of(std::move(all));
}

// Each cluster on its own: what fails for one does not hold up the others.
Task<Status> NamespaceSyncReconciler::sync(std::shared_ptr<const Json> ns, std::vector<ObjectPtr> clusters) {
  std::vector<std::shared_ptr<const Json>> kept;
  std::vector<overrides::Target> targets;
  for (const ObjectPtr& cluster : clusters) {
    if (cluster->deleting()) continue;
    kept.push_back(cluster->content());
    targets.push_back({kept.back().get(), std::nullopt});
  }
  Json manifest = *ns;
  manifest.erase("status");
  const auto policies = overrides_.cluster_policies();
  const overrides::Overridden overridden = overrides::apply_overrides(manifest, targets, *policies, {});
  Status all;
  for (const overrides::Failed& failed : overridden.failures) {
    context_.events.record(*ns, reconcile::kWarning, "ApplyOverridePolicyFailed", failed.error.message());
    all = failed.error;
  }
  Turns turns;
  for (const overrides::Outcome& outcome : overridden.outcomes) {
    for (const std::uint32_t index : outcome.targets) {
      auto waiting = turns.give_way();
      co_await std::move(waiting);
      const std::string cluster(api::name_of(*targets[index].cluster));
      auto putting = put_work(context_, make_work(*ns, cluster, outcome));
      Status put = co_await std::move(putting);
      if (!put) all = std::move(put).context("cluster " + cluster);
    }
  }
  co_return all;
}

}  // namespace flotilla::controllers
