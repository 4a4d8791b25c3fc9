// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/namespace_sync/namespace_sync_reconciler.hpp"

#include <algorithm>

#include "core/api/manifest.hpp"
#include "core/api/names.hpp"

namespace flotilla::controllers {
namespace {

bool is_true(std::string_view text) {
  return text.size() == 4 &&
         std::equal(text.begin(), text.end(), "true", [](char a, char b) { return (a | 0x20) == b; });
}

Json make_work(const Json& ns, const std::string& cluster, const overrides::Outcome& outcome) {
  const std::string space = api::execution_namespace(cluster);
  const std::string name = api::work_name("Namespace", api::name_of(ns), "");
  Json manifest = outcome.manifest;
  Json& annotations = manifest.make({"metadata", "annotations"});
  annotations.set(api::annotations::kTemplateUid, api::uid_of(ns));
  annotations.set(api::annotations::kWorkName, name);
  annotations.set(api::annotations::kWorkNamespace, space);
  manifest.make({"metadata", "labels", api::labels::kManaged}) = api::kTrue;
  api::prune_manifest(manifest, api::JobTtl::Remove);
  if (Json* spec = manifest.find("spec")) spec->erase("finalizers");
  api::record_managed_keys(manifest, {});
  Json metadata =
      Json::object({{"name", name},
                    {"namespace", space},
                    {"finalizers", Json::array({api::finalizers::kExecution})},
                    {"ownerReferences", Json::array({Json::object({{"apiVersion", "v1"},
                                                                   {"kind", "Namespace"},
                                                                   {"name", ns["metadata"]["name"]},
                                                                   {"uid", ns["metadata"]["uid"]},
                                                                   {"controller", true},
                                                                   {"blockOwnerDeletion", true}})})}});
  if (!outcome.applied_cluster_overrides.is_null()) {
    metadata.make({"annotations", api::annotations::kAppliedClusterOverrides}) =
        outcome.applied_cluster_overrides.dump();
  }
  return Json::object(
      {{"apiVersion", api::versions::kWork},
       {"kind", "Work"},
       {"metadata", std::move(metadata)},
       {"spec", Json::object({{"workload", Json::object({{"manifests", Json::array({manifest})}})}})}});
}

}  // namespace

NamespaceSyncReconciler::NamespaceSyncReconciler(Context& context, OverrideIndex& overrides,
                                                 RemovalGuard& guard)
    : LoopController(context, "namespace-sync"),
      overrides_(overrides),
      guard_(guard),
      skipped_namespaces_(context.options.skipped_propagating_namespaces) {
  context.informers.on(kinds::kNamespace.collection(), [this](const Event& event) {
    const bool same = event.previous && event.previous->deleting() == event.object->deleting() &&
                      event.previous->labels().pairs == event.object->labels().pairs;
    if (!same) enqueue(event);
  });
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) {
    if (event.type == Event::Type::Added) wake_all();
  });
  context.informers.on(kinds::kClusterOverridePolicy.collection(), [this](const Event&) { wake_all(); });
}

void NamespaceSyncReconciler::wake_all() {
  for (const ObjectPtr& ns : context_.store.list(kinds::kNamespace.collection()).objects) {
    loop_.enqueue({kinds::kNamespace.collection(), ns->key()}, reconcile::kBackground);
  }
}

bool NamespaceSyncReconciler::is_propagated(const Json& ns) const {
  const std::string name(api::name_of(ns));
  return name != "default" && !api::is_reserved_namespace(name) &&
         !std::regex_match(name, skipped_namespaces_) &&
         !is_true(api::label_of(ns, api::labels::kSkipAutoPropagation));
}

Task<Outcome> NamespaceSyncReconciler::reconcile(Key key) {
  const ObjectPtr ns = context_.get(kinds::kNamespace, key.object);
  if (!ns) co_return Outcome::done();
  const auto content = ns->content();
  if (!is_propagated(*content)) co_return Outcome::done();
  if (ns->deleting()) {
    auto letting_go = let_go(ns);
    co_return co_await std::move(letting_go);
  }

  std::vector<std::shared_ptr<const Json>> clusters;
  std::vector<overrides::Target> targets;
  for (const ObjectPtr& cluster : context_.store.list(kinds::kCluster.collection()).objects) {
    if (cluster->deleting()) continue;
    clusters.push_back(cluster->content());
    targets.push_back({clusters.back().get(), std::nullopt});
  }
  Json manifest = *content;
  manifest.erase("status");
  const auto policies = overrides_.cluster_policies();
  const overrides::Overridden overridden = overrides::apply_overrides(manifest, targets, *policies, {});
  std::optional<Error> failure;
  for (const overrides::Failed& failed : overridden.failures) failure = failed.error;
  for (const overrides::Outcome& outcome : overridden.outcomes) {
    for (const std::uint32_t index : outcome.targets) {
      const std::string cluster(api::name_of(*targets[index].cluster));
      auto putting = put_work(make_work(*content, cluster, outcome));
      const Status put = co_await std::move(putting);
      if (!put) failure = put.error();
    }
  }
  // The execution namespace of a new cluster may not be there yet.
  co_return failure ? Outcome::retry(*std::move(failure)) : Outcome::done();
}

Task<Outcome> NamespaceSyncReconciler::let_go(ObjectPtr ns) {
  const std::string work = api::work_name("Namespace", ns->name(), "");
  const api::RemovalCause cause{api::RemovalReason::TemplateDeleted,
                                "user",
                                "Namespace " + ns->name() + " was deleted",
                                format_time(context_.now()),
                                {}};
  for (const ObjectPtr& cluster : context_.store.list(kinds::kCluster.collection()).objects) {
    auto telling = guard_.announce({api::execution_namespace(cluster->name()), work}, cause);
    const Status told = co_await std::move(telling);
    if (!told) co_return Outcome::retry(told.error());
  }
  co_return Outcome::done();
}

Task<Status> NamespaceSyncReconciler::put_work(Json work) {
  const ObjectKey key = api::key_of(work);
  if (!context_.get(kinds::kWork, key)) {
    auto creating = context_.writer.create(kinds::kWork, std::move(work));
    const auto created = co_await std::move(creating);
    co_return created ? Status() : Status(created.error());
  }
  auto wanted = std::make_shared<const Json>(std::move(work));
  auto changing =
      context_.writer.modify(kinds::kWork, Part::Main, key, [wanted](Json& object) -> Result<bool> {
        Json spec = (*wanted)["spec"];
        const std::string id(api::label_of(object, api::labels::kWorkId));
        for (Json& manifest : spec["workload"]["manifests"].elements())
          api::record_managed_keys(manifest, id);
        if (std::as_const(object)["spec"] == spec) return false;
        object.set("spec", std::move(spec));
        return true;
      });
  const auto changed = co_await std::move(changing);
  co_return changed ? Status() : Status(changed.error());
}

}  // namespace flotilla::controllers
