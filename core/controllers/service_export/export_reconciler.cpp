// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/service_export/export_reconciler.hpp"

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/api/wrap_manifest.hpp"
#include "core/controllers/agency.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/service_export/export_plan.hpp"

namespace flotilla::controllers {
namespace {

constexpr std::string_view kExports = "serviceexports", kSlices = "endpointslices";
constexpr std::string_view kExportVersion = "multicluster.x-k8s.io/v1alpha1";
const api::Gvr kExportResource{"multicluster.x-k8s.io", "v1alpha1", "serviceexports"};

std::shared_ptr<cluster::MemberCache> exports_of(cluster::Member& member) {
  return member.cache(kExportResource, "*");
}

bool is_applied(const Json& work) {
  return api::is_condition_true(work["status"]["conditions"], api::conditions::kApplied);
}

// Only what may be one is parsed: thousands of Works pass by here.
bool carries_applied_export(const api::Object& work) {
  if (!mentions(work, "\"kind\":\"ServiceExport\"")) return false;
  const auto content = work.content();
  return api::contains_kind(*content, kExportVersion, "ServiceExport") && is_applied(*content);
}

Status unless_gone(const Error& error) {
  return error.is(Code::NotFound) ? Status() : Status(error);
}

}  // namespace

ServiceExportReconciler::ServiceExportReconciler(Context& context)
    : LoopController(context, "service-export-controller", {.max_delay = std::chrono::seconds(30)}),
      by_service_(context.informers, kinds::kWork.collection(), api::labels::kEndpointSliceName) {
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) {
    if (event.type == Event::Type::Deleted) return;
    if (!carries_applied_export(*event.object)) return;
    if (event.previous && is_applied(*event.previous->content())) return;
    enqueue(event);
  });
  // A member that is attached anew is watched anew.
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) {
    if (event.type != Event::Type::Modified || !changes_slice_clusters(event)) return;
    const std::string space = api::execution_namespace(event.object->name());
    for (const ObjectPtr& work : context_.store.list(kinds::kWork.collection(), space).objects) {
      if (carries_applied_export(*work))
        loop_.enqueue({kinds::kWork.collection(), work->key()}, reconcile::kBackground);
    }
  });
  context.clusters.on_change([this](const cluster::MemberChange& change) {
    const bool slice = change.resource == kSliceResource;
    if (!slice && change.resource != kExportResource) return;
    if (slice && api::label_of(*change.object, api::kSliceManagedByLabel) == api::kDispatchedSlice) return;
    loop_.enqueue(member_key_of(slice ? kSlices : kExports, change.cluster, api::key_of(*change.object)));
  });
}

Task<Outcome> ServiceExportReconciler::reconcile(Key key) {
  if (const std::string cluster = cluster_of_key(key, kExports); !cluster.empty()) {
    auto following = follow_export(cluster, key.object);
    co_return co_await std::move(following);
  }
  if (const std::string cluster = cluster_of_key(key, kSlices); !cluster.empty()) {
    auto following = follow_slice(cluster, key.object);
    co_return co_await std::move(following);
  }
  const ObjectPtr work = context_.get(kinds::kWork, key.object);
  if (!work || work->deleting()) co_return Outcome::done();
  auto beginning = begin(work);
  co_return co_await std::move(beginning);
}

Task<Outcome> ServiceExportReconciler::begin(ObjectPtr work) {
  const auto cluster = api::cluster_of_execution_namespace(work->ns());
  if (cluster && !is_served_here(context_, *cluster)) co_return Outcome::done();
  const auto member = cluster ? context_.clusters.find(*cluster) : nullptr;
  if (!member || !is_cluster_ready(context_, *cluster)) {
    co_return Outcome::retry(
        Error(Code::Unavailable, "cluster(" + (cluster ? *cluster : work->ns()) + ") not ready"));
  }
  const auto slices = own_slices(*member);
  const auto exports = exports_of(*member);
  const auto content = work->content();
  for (const Json& manifest : (*content)["spec"]["workload"]["manifests"].elements()) {
    if (manifest["kind"].as_string() == "ServiceExport")
      loop_.enqueue(member_key_of(kExports, *cluster, api::key_of(manifest)));
  }
  if (looked_after_.insert(*cluster).second) look_after_records(*cluster);
  co_return Outcome::done();
}

// What was recorded while nobody watched may be gone. Once per cluster.
void ServiceExportReconciler::look_after_records(const std::string& cluster) {
  const std::string space = api::execution_namespace(cluster);
  for (const ObjectPtr& record : context_.store.list(kinds::kWork.collection(), space).objects) {
    const std::string* ns = record->labels().find(api::labels::kEndpointSliceNamespace);
    const std::string* name = record->labels().find(api::labels::kEndpointSliceName);
    if (ns != nullptr && name != nullptr) loop_.enqueue(member_key_of(kExports, cluster, {*ns, *name}));
  }
}

std::vector<ObjectKey> ServiceExportReconciler::records(const std::string& cluster,
                                                        const ObjectKey& service) const {
  const std::string space = api::execution_namespace(cluster);
  std::vector<ObjectKey> found;
  for (const ObjectKey& key : by_service_.with(service.name)) {
    const ObjectPtr work = key.ns == space ? context_.get(kinds::kWork, key) : nullptr;
    const std::string* ns = work ? work->labels().find(api::labels::kEndpointSliceNamespace) : nullptr;
    if (ns != nullptr && *ns == service.ns) found.push_back(key);
  }
  return found;
}

Task<Outcome> ServiceExportReconciler::follow_export(std::string cluster, ObjectKey service) {
  const auto member = context_.clusters.find(cluster);
  if (!member) co_return Outcome::done();
  const auto exports = exports_of(*member);
  auto syncing = exports->wait_synced(std::chrono::seconds(5));
  co_await std::move(syncing);
  const auto known = exports->get(service.ns, service.name);
  if (!known) co_return Outcome::retry(known.error());
  std::vector<ObjectKey> recorded = records(cluster, service);
  if (*known) {
    auto keeping = keep_slices_of(context_, member, service, api::kExportKeeper, std::move(recorded));
    co_return Outcome::of(co_await std::move(keeping));
  }
  for (const ObjectKey& record : recorded) {
    auto leaving = let_slice_go(context_, record, api::kExportKeeper);
    const Status left = co_await std::move(leaving);
    if (!left) co_return Outcome::retry(left.error());
  }
  co_return Outcome::done();
}

Task<Outcome> ServiceExportReconciler::follow_slice(std::string cluster, ObjectKey slice) {
  const auto member = context_.clusters.find(cluster);
  if (!member) co_return Outcome::done();
  const auto known = own_slices(*member)->get(slice.ns, slice.name);
  if (!known) co_return Outcome::retry(known.error());
  const ObjectKey record{api::execution_namespace(cluster),
                         api::work_name(api::kSliceKind, slice.name, slice.ns)};
  if (!*known) {
    auto leaving = let_slice_go(context_, record, api::kExportKeeper);
    co_return Outcome::of(co_await std::move(leaving));
  }
  const auto exports = exports_of(*member);
  const auto exported = exports->get(slice.ns, api::label_of(**known, api::kServiceNameLabel));
  // Where nobody watches exports yet, their first list brings the slices along.
  if (!exported || !*exported) co_return Outcome::done();
  auto keeping = keep_slice(context_, cluster, **known, api::kExportKeeper);
  co_return Outcome::of(co_await std::move(keeping));
}

EndpointSliceReconciler::EndpointSliceReconciler(Context& context)
    : LoopController(context, "endpointslice-controller", {.max_delay = std::chrono::seconds(30)}),
      by_work_(context.informers, kinds::kEndpointSlice.collection(), api::labels::kWorkId) {
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) {
    if (event.type == Event::Type::Deleted) return;
    if (event.object->labels().find(api::labels::kEndpointSliceManagedBy) == nullptr) return;
    const bool same = event.previous && event.previous->generation() == event.object->generation() &&
                      event.previous->deleting() == event.object->deleting() &&
                      event.previous->labels().pairs == event.object->labels().pairs;
    if (!same) enqueue(event);
  });
}

Task<Outcome> EndpointSliceReconciler::reconcile(Key key) {
  const ObjectPtr work = context_.get(kinds::kWork, key.object);
  if (!work || !api::is_collected_slice(*work->content())) co_return Outcome::done();
  const bool exported = work->labels().find(api::labels::kEndpointSliceName) != nullptr;
  const bool held = api::has_finalizer(*work->content(), api::finalizers::kEndpointSlice);
  if (exported && !work->deleting()) {
    auto importing = import(work);
    co_return Outcome::of(co_await std::move(importing));
  }
  if (!held) co_return Outcome::done();
  auto withdrawing = withdraw(work);
  co_return Outcome::of(co_await std::move(withdrawing));
}

Task<Status> EndpointSliceReconciler::import(ObjectPtr work) {
  const auto cluster = api::cluster_of_execution_namespace(work->ns());
  if (!cluster) co_return cluster.error();
  auto wanted = std::make_shared<const Json>(imported_slice(*work->content(), *cluster));
  const ObjectKey key = api::key_of(*wanted);
  if (!context_.get(kinds::kEndpointSlice, key)) {
    auto creating = context_.writer.create(kinds::kEndpointSlice, *wanted);
    const auto created = co_await std::move(creating);
    co_return created ? Status() : Status(created.error());
  }
  auto renewing = context_.writer.modify(
      kinds::kEndpointSlice, Part::Main, key,
      [wanted](Json& slice) -> Result<bool> { return renew_imported_slice(slice, *wanted); });
  const auto renewed = co_await std::move(renewing);
  co_return renewed ? Status() : Status(renewed.error());
}

Task<Status> EndpointSliceReconciler::withdraw(ObjectPtr work) {
  const std::string* id = work->labels().find(api::labels::kWorkId);
  if (id != nullptr) {
    for (const ObjectKey& slice : by_work_.with(*id)) {
      auto removing = context_.writer.remove(kinds::kEndpointSlice, slice);
      const auto removed = co_await std::move(removing);
      if (!removed && !removed.error().is(Code::NotFound)) co_return removed.error();
    }
  }
  auto freeing =
      context_.writer.modify(kinds::kWork, Part::Main, work->key(), [](Json& object) -> Result<bool> {
        return api::remove_finalizer(object, api::finalizers::kEndpointSlice);
      });
  const auto freed = co_await std::move(freeing);
  co_return freed ? Status() : unless_gone(freed.error());
}

ServiceImportReconciler::ServiceImportReconciler(Context& context)
    : LoopController(context, "service-import-controller") {
  context.informers.on(kinds::kServiceImport.collection(), [this](const Event& event) {
    const bool same =
        event.type == Event::Type::Modified && event.previous->generation() == event.object->generation();
    if (!same) enqueue(event);
  });
}

Task<Outcome> ServiceImportReconciler::reconcile(Key key) {
  const ObjectPtr object = context_.get(kinds::kServiceImport, key.object);
  if (!object) {
    const ObjectKey service{key.object.ns, api::derived_service_name(key.object.name)};
    auto removing = context_.writer.remove(kinds::kService, service);
    const auto removed = co_await std::move(removing);
    co_return Outcome::of(removed ? Status() : unless_gone(removed.error()));
  }
  if (object->deleting()) co_return Outcome::done();
  const auto import = object->content();
  auto deriving = derive(import);
  const Status derived = co_await std::move(deriving);
  context_.events.record(*import, derived ? reconcile::kNormal : reconcile::kWarning,
                         derived ? "SyncDerivedServiceSucceed" : "SyncDerivedServiceFailed",
                         derived ? "Sync derived service for serviceImport(" + key.object.name + ") succeed."
                                 : derived.error().message());
  co_return Outcome::of(derived);
}

Task<Status> ServiceImportReconciler::derive(std::shared_ptr<const Json> import) {
  auto wanted = std::make_shared<const Json>(derived_service(*import));
  const ObjectKey key = api::key_of(*wanted);
  if (!context_.get(kinds::kService, key)) {
    auto creating = context_.writer.create(kinds::kService, *wanted);
    const auto created = co_await std::move(creating);
    if (!created) co_return created.error();
  } else {
    auto renewing = context_.writer.modify(
        kinds::kService, Part::Main, key,
        [wanted](Json& service) -> Result<bool> { return renew_derived_service(service, *wanted); });
    const auto renewed = co_await std::move(renewing);
    if (!renewed) co_return renewed.error();
  }
  auto writing =
      context_.writer.modify(kinds::kService, Part::Status, key, [import](Json& service) -> Result<bool> {
        Json status = derived_status(*import);
        if (std::as_const(service)["status"] == status) return false;
        service.set("status", std::move(status));
        return true;
      });
  const auto written = co_await std::move(writing);
  co_return written ? Status() : Status(written.error());
}

}  // namespace flotilla::controllers
