// SPDX-License-Identifier: Apache-2.0
#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/controllers/multi_cluster_service/mcs_plan.hpp"
#include "core/controllers/multi_cluster_service/mcs_reconciler.hpp"
#include "core/controllers/put_work.hpp"

namespace flotilla::controllers {
namespace {

bool is_held(const Json& work) {
  return api::has_finalizer(work, api::finalizers::kEndpointSliceDispatch);
}

std::string_view provider_of(const Json& work) {
  return api::annotation_of(work, api::annotations::kProvisionCluster);
}

}  // namespace

SliceDispatchReconciler::SliceDispatchReconciler(Context& context, const ServiceWorkIndex& works)
    : LoopController(context, "endpointslice-dispatch-controller", {.max_delay = std::chrono::seconds(30)}),
      works_(works) {
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) {
    if (event.type == Event::Type::Deleted) return;
    const bool same = event.previous && event.previous->generation() == event.object->generation() &&
                      event.previous->deleting() == event.object->deleting() &&
                      event.previous->labels().pairs == event.object->labels().pairs;
    if (same || event.object->labels().find(api::labels::kEndpointSliceManagedBy) == nullptr) return;
    enqueue(event);
  });
  context.informers.on(kinds::kMultiClusterService.collection(), [this](const Event& event) {
    const bool same = event.previous && event.previous->generation() == event.object->generation();
    if (!same) wake_records(event.object->key());
  });
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) {
    if (!changes_slice_clusters(event)) return;
    const std::set<std::string> one = {event.object->name()};
    for (const ObjectPtr& mcs : context_.store.list(kinds::kMultiClusterService.collection()).objects) {
      if (consumer_clusters(*mcs->content(), one).contains(event.object->name())) wake_records(mcs->key());
    }
  });
}

void SliceDispatchReconciler::wake_records(const ObjectKey& mcs) {
  for (const ObjectPtr& work : works_.of(context_, mcs)) {
    if (api::is_collected_slice(*work->content()))
      loop_.enqueue({kinds::kWork.collection(), work->key()}, reconcile::kBackground);
  }
}

Task<Outcome> SliceDispatchReconciler::reconcile(Key key) {
  const ObjectPtr record = context_.get(kinds::kWork, key.object);
  if (!record || !api::is_collected_slice(*record->content())) co_return Outcome::done();
  const auto service = service_of_work(*record);
  if (record->deleting() || !service) {
    if (!is_held(*record->content())) co_return Outcome::done();
    auto withdrawing = withdraw(record);
    co_return Outcome::of(co_await std::move(withdrawing));
  }
  const ObjectPtr object = context_.get(kinds::kMultiClusterService, *service);
  if (!object || object->deleting()) co_return Outcome::done();
  const auto mcs = object->content();
  auto dispatching = dispatch(record, mcs);
  const Status done = co_await std::move(dispatching);
  const std::string message = done ? "EndpointSlice are dispatched successfully" : done.error().message();
  context_.events.record(*mcs, done ? reconcile::kNormal : reconcile::kWarning,
                         done ? "DispatchEndpointSliceSucceed" : "DispatchEndpointSliceFailed", message);
  const bool good = done.ok();
  auto saying = context_.writer.modify(
      kinds::kMultiClusterService, Part::Status, *service,
      [good, message, now = context_.now()](Json& service_object) -> Result<bool> {
        return api::set_condition(
            service_object.make({"status", "conditions"}),
            {"EndpointSliceDispatched", good ? "True" : "False",
             good ? "EndpointSliceDispatchedSucceed" : "EndpointSliceDispatchedFailed", message},
            now);
      });
  const auto said = co_await std::move(saying);
  if (!done) co_return Outcome::retry(done.error());
  if (!said && !said.error().is(Code::NotFound)) co_return Outcome::retry(said.error());
  co_return Outcome::done();
}

Task<Status> SliceDispatchReconciler::dispatch(ObjectPtr record, std::shared_ptr<const Json> mcs) {
  const auto provider = api::cluster_of_execution_namespace(record->ns());
  if (!provider) co_return provider.error();
  const std::set<std::string> consumers = consumer_clusters(*mcs, all_clusters(context_));
  for (const ObjectPtr& work : works_.of(context_, api::key_of(*mcs))) {
    if (provider_of(*work->content()).empty()) continue;
    const auto consumer = api::cluster_of_execution_namespace(work->ns());
    if (!consumer || consumers.contains(*consumer)) continue;
    auto removing = remove_work(context_, work->key(), "endpointslice-dispatch-controller",
                                "the cluster uses the service no more");
    if (const Status removed = co_await std::move(removing); !removed) co_return removed;
  }
  const auto content = record->content();
  for (const std::string& consumer : consumers) {
    if (consumer == *provider) continue;
    const SliceCluster cluster = slice_cluster(context_, consumer);
    const auto warn = [&](std::string_view reason, const std::string& message) {
      context_.events.record(*mcs, reconcile::kWarning, reason, message);
    };
    if (!cluster.exists) {
      warn("ClusterNotFound", "Consumer cluster " + consumer + " is not found");
    } else if (!cluster.ready) {
      warn("SyncServiceFailed",
           "Consumer cluster " + consumer + " is not ready, skip to propagate EndpointSlice");
    } else if (!cluster.serves_slices) {
      warn("APIIncompatible", "Consumer cluster " + consumer + " does not support EndpointSlice");
    } else {
      auto putting = put_work(context_, dispatched_work(*content, *mcs, *provider, consumer));
      if (const Status put = co_await std::move(putting); !put) co_return put;
    }
  }
  co_return Status();
}

// What was dispatched has the record's name, whatever service it was for.
Task<Status> SliceDispatchReconciler::withdraw(ObjectPtr record) {
  const auto provider = api::cluster_of_execution_namespace(record->ns());
  for (const std::string& cluster : all_clusters(context_)) {
    const ObjectPtr work = context_.get(kinds::kWork, {api::execution_namespace(cluster), record->name()});
    if (!work || !provider || provider_of(*work->content()) != *provider) continue;
    auto removing = remove_work(context_, work->key(), "endpointslice-dispatch-controller",
                                "the endpoint slice is gone from cluster " + *provider);
    if (const Status removed = co_await std::move(removing); !removed) co_return removed;
  }
  auto freeing =
      context_.writer.modify(kinds::kWork, Part::Main, record->key(), [](Json& object) -> Result<bool> {
        return api::remove_finalizer(object, api::finalizers::kEndpointSliceDispatch);
      });
  const auto freed = co_await std::move(freeing);
  co_return freed || freed.error().is(Code::NotFound) ? Status() : Status(freed.error());
}

}  // namespace flotilla::controllers
