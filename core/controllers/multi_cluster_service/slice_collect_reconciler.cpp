// SPDX-License-Identifier: Apache-2.0
#include "core/api/names.hpp"
#include "core/api/wrap_manifest.hpp"
#include "core/controllers/agency.hpp"
#include "core/controllers/multi_cluster_service/mcs_plan.hpp"
#include "core/controllers/multi_cluster_service/mcs_reconciler.hpp"

namespace flotilla::controllers {
namespace {

constexpr std::string_view kSlices = "endpointslices";

bool is_marker(const api::Object& work) {
  const auto mcs = service_of_work(work);
  return mcs && work.name() == marker_work_name(mcs->ns, mcs->name);
}

}  // namespace

SliceCollectReconciler::SliceCollectReconciler(Context& context, const ServiceWorkIndex& works)
    : LoopController(context, "endpointslice-collect-controller", {.max_delay = std::chrono::seconds(30)}),
      works_(works) {
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) {
    const bool same = event.previous && event.previous->generation() == event.object->generation();
    if (event.type != Event::Type::Deleted && !same && is_marker(*event.object)) enqueue(event);
  });
  // A member that is attached anew is watched anew.
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) {
    if (event.type != Event::Type::Modified || !changes_slice_clusters(event)) return;
    const std::string space = api::execution_namespace(event.object->name());
    for (const ObjectPtr& work : context_.store.list(kinds::kWork.collection(), space).objects) {
      if (is_marker(*work)) loop_.enqueue({kinds::kWork.collection(), work->key()}, reconcile::kBackground);
    }
  });
  context.clusters.on_change([this](const cluster::MemberChange& change) {
    if (change.resource != kSliceResource) return;
    if (api::label_of(*change.object, api::kSliceManagedByLabel) == api::kDispatchedSlice) return;
    loop_.enqueue(member_key_of(kSlices, change.cluster, api::key_of(*change.object)));
  });
}

Task<Outcome> SliceCollectReconciler::reconcile(Key key) {
  const std::string cluster = cluster_of_key(key, kSlices);
  if (!cluster.empty()) {
    auto following = follow_slice(cluster, key.object);
    co_return co_await std::move(following);
  }
  const ObjectPtr marker = context_.get(kinds::kWork, key.object);
  if (!marker || marker->deleting()) co_return Outcome::done();
  auto collecting = collect(marker);
  co_return co_await std::move(collecting);
}

Task<Outcome> SliceCollectReconciler::collect(ObjectPtr marker) {
  const auto cluster = api::cluster_of_execution_namespace(marker->ns());
  const auto mcs = service_of_work(*marker);
  if (!cluster || !mcs || !is_served_here(context_, *cluster)) co_return Outcome::done();
  const auto member = context_.clusters.find(*cluster);
  if (!member || !is_cluster_ready(context_, *cluster))
    co_return Outcome::retry(Error(Code::Unavailable, "cluster(" + *cluster + ") not ready"));
  std::vector<ObjectKey> records;
  for (const ObjectPtr& work : works_.of(context_, *mcs)) {
    if (work->ns() == marker->ns() && api::is_collected_slice(*work->content()))
      records.push_back(work->key());
  }
  auto keeping = keep_slices_of(context_, member, *mcs, api::kServiceKeeper, std::move(records));
  co_return Outcome::of(co_await std::move(keeping));
}

Task<Outcome> SliceCollectReconciler::follow_slice(std::string cluster, ObjectKey slice) {
  const auto member = context_.clusters.find(cluster);
  if (!member) co_return Outcome::done();
  const auto known = own_slices(*member)->get(slice.ns, slice.name);
  if (!known) co_return Outcome::retry(known.error());
  const std::string space = api::execution_namespace(cluster);
  if (!*known) {
    ObjectKey record{space, api::work_name(api::kSliceKind, slice.name, slice.ns)};
    auto leaving = let_slice_go(context_, std::move(record), api::kServiceKeeper);
    co_return Outcome::of(co_await std::move(leaving));
  }
  const std::string_view service = api::label_of(**known, api::kServiceNameLabel);
  const ObjectPtr marker = context_.get(kinds::kWork, {space, marker_work_name(slice.ns, service)});
  if (!marker || marker->deleting()) co_return Outcome::done();
  auto keeping = keep_slice(context_, cluster, **known, api::kServiceKeeper);
  co_return Outcome::of(co_await std::move(keeping));
}

}  // namespace flotilla::controllers
