// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/quota/quota_reconciler.hpp"

#include "core/controllers/put_work.hpp"
#include "core/controllers/quota/quota_plan.hpp"

namespace flotilla::controllers {
namespace {

bool changed(const Event& event, std::string_view member) {
  if (event.type != Event::Type::Modified || !event.previous) return true;
  if (event.previous->generation() == event.object->generation()) return false;
  return !((*event.previous->content())["spec"][member] == (*event.object->content())["spec"][member]);
}

bool names_cluster(const Json& quota, std::string_view cluster) {
  for (const Json& assignment : quota["spec"]["staticAssignments"].elements()) {
    if (assignment["clusterName"].as_string() == cluster) return true;
  }
  return false;
}

Task<Status> write_status(Context& context, ObjectKey key, Json status) {
  auto wanted = std::make_shared<const Json>(std::move(status));
  auto writing = context.writer.modify(kinds::kFederatedResourceQuota, Part::Status, std::move(key),
                                       [wanted](Json& object) -> Result<bool> {
                                         if (std::as_const(object)["status"] == *wanted) return false;
                                         object.set("status", *wanted);
                                         return true;
                                       });
  const auto written = co_await std::move(writing);
  co_return written || written.error().is(Code::NotFound) ? Status() : Status(written.error());
}

}  // namespace

QuotaWorkIndex::QuotaWorkIndex(informer::Informers& informers)
    : by_name_(informers, kinds::kWork.collection(), api::labels::kFederatedResourceQuotaName) {}

std::vector<ObjectPtr> QuotaWorkIndex::of(const Context& context, const ObjectKey& quota) const {
  std::vector<ObjectPtr> found;
  for (const ObjectKey& key : by_name_.with(quota.name)) {
    ObjectPtr work = context.get(kinds::kWork, key);
    if (work && quota_of_work(*work) == quota) found.push_back(std::move(work));
  }
  return found;
}

std::optional<ObjectKey> quota_of_work(const api::Object& work) {
  const std::string* ns = work.labels().find(api::labels::kFederatedResourceQuotaNamespace);
  const std::string* name = work.labels().find(api::labels::kFederatedResourceQuotaName);
  if (ns == nullptr || name == nullptr) return std::nullopt;
  return ObjectKey{*ns, *name};
}

QuotaSyncReconciler::QuotaSyncReconciler(Context& context, const QuotaWorkIndex& works)
    : LoopController(context, "federated-resource-quota-sync-controller"), works_(works) {
  context.informers.on(kinds::kFederatedResourceQuota.collection(), [this](const Event& event) {
    if (changed(event, "staticAssignments")) enqueue(event);
  });
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) {
    if (event.type != Event::Type::Added) return;
    const Collection collection = kinds::kFederatedResourceQuota.collection();
    for (const ObjectPtr& quota : context_.store.list(collection).objects) {
      if (names_cluster(*quota->content(), event.object->name())) loop_.enqueue({collection, quota->key()});
    }
  });
}

Task<Outcome> QuotaSyncReconciler::reconcile(Key key) {
  const ObjectPtr quota = context_.get(kinds::kFederatedResourceQuota, key.object);
  if (!quota) {
    auto clearing = sync(key.object, nullptr);
    co_return Outcome::of(co_await std::move(clearing));
  }
  const auto content = quota->content();
  auto syncing = sync(key.object, *content);
  const Status synced = co_await std::move(syncing);
  if (!synced) {
    context_.events.record(*content, reconcile::kWarning, "SyncWorkFailed", synced.error().message());
    co_return Outcome::retry(synced.error());
  }
  context_.events.record(*content, reconcile::kNormal, "SyncWorkSucceed",
                         "Sync works for FederatedResourceQuota(" + key.object.text() + ") succeed.");
  co_return Outcome::done();
}

// Null: the quota is gone.
Task<Status> QuotaSyncReconciler::sync(ObjectKey key, Json quota) {
  std::vector<Json> wanted;
  if (!quota.is_null()) {
    wanted = quota_works(quota, [&](std::string_view cluster) {
      return context_.get(kinds::kCluster, {"", std::string(cluster)}) != nullptr;
    });
  }
  std::optional<Error> failure;
  for (const ObjectPtr& work : works_.of(context_, key)) {
    bool kept = false;
    for (const Json& one : wanted) kept |= api::key_of(one) == work->key();
    if (kept) continue;
    auto removing = remove_work(context_, work->key(), "federated-resource-quota-sync-controller",
                                quota.is_null() ? "FederatedResourceQuota(" + key.text() + ") is gone"
                                                : "the cluster is assigned nothing any more");
    const Status removed = co_await std::move(removing);
    if (!removed) failure = removed.error();
  }
  for (Json& work : wanted) {
    auto putting = put_work(context_, std::move(work));
    const Status put = co_await std::move(putting);
    if (!put) failure = put.error();
  }
  co_return failure ? Status(*std::move(failure)) : Status();
}

QuotaStatusReconciler::QuotaStatusReconciler(Context& context, const QuotaWorkIndex& works)
    : LoopController(context, "federated-resource-quota-status-controller"), works_(works) {
  context.informers.on(kinds::kFederatedResourceQuota.collection(), [this](const Event& event) {
    const bool same = event.previous && event.previous->generation() == event.object->generation();
    if (event.type != Event::Type::Deleted && !same) enqueue(event);
  });
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) {
    const auto quota = quota_of_work(*event.object);
    if (!quota || event.type == Event::Type::Added) return;
    if (event.type == Event::Type::Modified &&
        (*event.previous->content())["status"] == (*event.object->content())["status"]) {
      return;
    }
    loop_.enqueue({kinds::kFederatedResourceQuota.collection(), *quota});
  });
}

Task<Outcome> QuotaStatusReconciler::reconcile(Key key) {
  const ObjectPtr quota = context_.get(kinds::kFederatedResourceQuota, key.object);
  if (!quota || quota->deleting()) co_return Outcome::done();
  const auto content = quota->content();
  std::vector<Json> works;
  for (const ObjectPtr& work : works_.of(context_, key.object)) works.push_back(*work->content());
  auto status =
      quota_status_of_clusters(*content, works, context_.options.feature_gates.federated_quota_enforcement);
  Status written = status ? Status() : Status(status.error());
  if (status) {
    auto writing = write_status(context_, key.object, *std::move(status));
    written = co_await std::move(writing);
  }
  if (!written) {
    context_.events.record(*content, reconcile::kWarning, "AggregateStatusFailed", written.error().message());
    co_return Outcome::retry(written.error());
  }
  context_.events.record(*content, reconcile::kNormal, "AggregateStatusSucceed",
                         "Collect status of FederatedResourceQuota(" + key.object.text() + ") succeed.");
  co_return Outcome::done();
}

QuotaEnforcementReconciler::QuotaEnforcementReconciler(Context& context)
    : LoopController(context, "federated-resource-quota-enforcement-controller") {
  context.informers.on(kinds::kFederatedResourceQuota.collection(), [this](const Event& event) {
    if (event.type != Event::Type::Deleted && changed(event, "overall")) enqueue(event);
  });
  context.informers.on(kinds::kResourceBinding.collection(), [this](const Event& event) {
    if (event.type != Event::Type::Deleted) return;
    const Collection collection = kinds::kFederatedResourceQuota.collection();
    for (const ObjectPtr& quota : context_.store.list(collection, event.object->ns()).objects) {
      loop_.enqueue({collection, quota->key()});
    }
  });
}

Task<Outcome> QuotaEnforcementReconciler::reconcile(Key key) {
  const ObjectPtr quota = context_.get(kinds::kFederatedResourceQuota, key.object);
  if (!quota || quota->deleting()) co_return Outcome::done();
  const auto content = quota->content();
  // Counted and compared within one try, so that what admission charges meanwhile is not overwritten.
  auto writing = context_.writer.modify(
      kinds::kFederatedResourceQuota, Part::Status, key.object,
      [&context = context_, ns = key.object.ns](Json& object) -> Result<bool> {
        std::vector<Json> bindings;
        for (const ObjectPtr& binding : context.store.list(kinds::kResourceBinding.collection(), ns).objects)
          bindings.push_back(*binding->content());
        auto status = quota_status_of_bindings(object, bindings);
        if (!status) return status.error();
        if (*status == std::as_const(object)["status"]) return false;
        object.set("status", *std::move(status));
        return true;
      });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) {
    context_.events.record(*content, reconcile::kWarning, "CollectOverallStatusFailed",
                           written.error().message());
    co_return Outcome::retry(written.error());
  }
  context_.events.record(
      *content, reconcile::kNormal, "CollectOverallStatusSucceed",
      "Collect overall status of FederatedResourceQuota(" + key.object.text() + ") succeed.");
  co_return Outcome::again_in(context_.options.federated_resource_quota_sync_period);
}

}  // namespace flotilla::controllers
