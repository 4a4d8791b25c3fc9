// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/multi_cluster_service/mcs_reconciler.hpp"

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/api/wrap_manifest.hpp"
#include "core/controllers/multi_cluster_service/mcs_plan.hpp"
#include "core/controllers/put_work.hpp"

namespace flotilla::controllers {
namespace {

const Collection kServices = kinds::kMultiClusterService.collection();

std::optional<Error> failed(const Status& status) {
  if (status || status.error().is(Code::NotFound)) return std::nullopt;
  return status.error();
}

}  // namespace

ServiceWorkIndex::ServiceWorkIndex(informer::Informers& informers)
    : by_name_(informers, kinds::kWork.collection(), api::labels::kMultiClusterServiceName) {}

std::vector<ObjectPtr> ServiceWorkIndex::of(const Context& context, const ObjectKey& mcs) const {
  std::vector<ObjectPtr> found;
  for (const ObjectKey& key : by_name_.with(mcs.name)) {
    ObjectPtr work = context.get(kinds::kWork, key);
    if (work && service_of_work(*work) == mcs) found.push_back(std::move(work));
  }
  return found;
}

std::optional<ObjectKey> service_of_work(const api::Object& work) {
  const std::string* ns = work.labels().find(api::labels::kMultiClusterServiceNamespace);
  const std::string* name = work.labels().find(api::labels::kMultiClusterServiceName);
  if (ns == nullptr || name == nullptr) return std::nullopt;
  return ObjectKey{*ns, *name};
}

std::set<std::string> all_clusters(const Context& context) {
  std::set<std::string> names;
  for (const ObjectPtr& cluster : context.store.list(kinds::kCluster.collection()).objects)
    names.insert(cluster->name());
  return names;
}

MultiClusterServiceReconciler::MultiClusterServiceReconciler(Context& context, const ServiceWorkIndex& works)
    : LoopController(context, "multiclusterservice-controller", {.max_delay = std::chrono::seconds(30)}),
      works_(works) {
  context.informers.on(kServices, [this](const Event& event) {
    if (event.type == Event::Type::Deleted) return;
    const bool same = event.previous && event.previous->generation() == event.object->generation() &&
                      event.previous->deleting() == event.object->deleting();
    if (!same) enqueue(event);
  });
  context.informers.on(kinds::kService.collection(), [this](const Event& event) { on_service(event); });
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
}

void MultiClusterServiceReconciler::on_service(const Event& event) {
  if (!context_.get(kinds::kMultiClusterService, event.object->key())) return;
  if (event.type == Event::Type::Modified) {
    const auto before = event.previous->content(), after = event.object->content();
    const bool same = (*before)["spec"] == (*after)["spec"] &&
                      (*before)["metadata"]["labels"] == (*after)["metadata"]["labels"] &&
                      (*before)["metadata"]["annotations"] == (*after)["metadata"]["annotations"];
    if (same) return;
  }
  loop_.enqueue({kServices, event.object->key()});
}

void MultiClusterServiceReconciler::on_cluster(const Event& event) {
  if (!changes_slice_clusters(event)) return;
  const std::set<std::string> one = {event.object->name()};
  for (const ObjectPtr& mcs : context_.store.list(kServices).objects) {
    const auto content = mcs->content();
    if (!is_cross_cluster(*content)) continue;
    const bool concerned = provider_clusters(*content, one).contains(event.object->name()) ||
                           consumer_clusters(*content, one).contains(event.object->name());
    if (concerned) loop_.enqueue({kServices, mcs->key()}, reconcile::kBackground);
  }
}

Task<Outcome> MultiClusterServiceReconciler::reconcile(Key key) {
  const ObjectPtr object = context_.get(kinds::kMultiClusterService, key.object);
  if (!object) co_return Outcome::done();
  const Mcs mcs = object->content();
  const bool ours = api::has_finalizer(*mcs, api::finalizers::kMultiClusterService);
  if (object->deleting() || !is_cross_cluster(*mcs)) {
    if (!ours) co_return Outcome::done();
    auto leaving = let_go(mcs);
    co_return Outcome::of(co_await std::move(leaving));
  }
  auto bringing = bring_about(mcs);
  const Status done = co_await std::move(bringing);
  context_.events.record(*mcs, done ? reconcile::kNormal : reconcile::kWarning,
                         done ? "SyncServiceSucceed" : "SyncServiceFailed",
                         done ? "Service is propagated to target clusters." : done.error().message());
  auto saying = say(key.object, done);
  const Status said = co_await std::move(saying);
  co_return Outcome::of(done ? said : done);
}

Task<Status> MultiClusterServiceReconciler::bring_about(Mcs mcs) {
  const std::set<std::string> all = all_clusters(context_);
  const std::set<std::string> providers = provider_clusters(*mcs, all);
  std::set<std::string> everywhere = consumer_clusters(*mcs, all);
  everywhere.insert(providers.begin(), providers.end());
  const ObjectKey key = api::key_of(*mcs);
  auto holding = set_finalizer(key, true);
  if (const Status held = co_await std::move(holding); !held) co_return held;
  auto marking = mark_providers(mcs, providers);
  if (const Status marked = co_await std::move(marking); !marked) co_return marked;
  auto unmarking = unmark(key, providers);
  if (const Status unmarked = co_await std::move(unmarking); !unmarked) co_return unmarked;
  auto propagating = propagate_service(mcs, std::move(everywhere));
  co_return co_await std::move(propagating);
}

Task<Status> MultiClusterServiceReconciler::mark_providers(Mcs mcs, std::set<std::string> providers) {
  for (const std::string& name : providers) {
    const SliceCluster cluster = slice_cluster(context_, name);
    const auto warn = [&](std::string_view reason, const std::string& message) {
      context_.events.record(*mcs, reconcile::kWarning, reason, message);
    };
    if (!cluster.exists) {
      warn("ClusterNotFound", "Provider cluster " + name + " is not found");
    } else if (!cluster.ready) {
      warn("SyncServiceFailed",
           "Provider cluster " + name + " is not ready, skip to propagate MultiClusterService");
    } else if (!cluster.serves_slices) {
      warn("APIIncompatible", "Provider cluster " + name + " does not support EndpointSlice");
    } else {
      auto putting = put_work(context_, marker_work(*mcs, name));
      if (const Status put = co_await std::move(putting); !put) co_return put;
    }
  }
  co_return Status();
}

Task<Status> MultiClusterServiceReconciler::unmark(ObjectKey mcs, std::set<std::string> providers) {
  const std::vector<ObjectPtr> works = works_.of(context_, mcs);
  std::set<std::string> left;  // clusters that are collected from no more
  for (const ObjectPtr& work : works) {
    const auto cluster = api::cluster_of_execution_namespace(work->ns());
    if (cluster && !(providers.contains(*cluster) && is_cluster_ready(context_, *cluster)))
      left.insert(*cluster);
  }
  for (const ObjectPtr& work : works) {
    const auto cluster = api::cluster_of_execution_namespace(work->ns());
    if (!cluster || !left.contains(*cluster)) continue;
    const auto content = work->content();
    const bool marker =
        api::contains_kind(*content, kinds::kMultiClusterService.gvk.api_version(), kMultiClusterServiceKind);
    if (!marker && !api::is_collected_slice(*content)) continue;
    auto going = marker ? remove_work(context_, work->key(), "multiclusterservice-controller",
                                      "the cluster offers the service no more")
                        : let_slice_go(context_, work->key(), api::kServiceKeeper);
    if (const Status gone = co_await std::move(going); !gone) co_return gone;
  }
  co_return Status();
}

Task<Status> MultiClusterServiceReconciler::propagate_service(Mcs mcs, std::set<std::string> clusters) {
  const ObjectKey key = api::key_of(*mcs);
  auto claiming =
      context_.writer.modify(kinds::kService, Part::Main, key,
                             [mcs](Json& service) -> Result<bool> { return claim_service(service, *mcs); });
  const auto claimed = co_await std::move(claiming);
  if (!claimed) co_return claimed.error();
  const auto service = (*claimed)->content();
  auto wanted = std::make_shared<const Json>(service_binding(*service, *mcs, clusters));
  const ObjectKey name = api::key_of(*wanted);
  if (!context_.get(kinds::kResourceBinding, name)) {
    auto creating = context_.writer.create(kinds::kResourceBinding, *wanted);
    const auto created = co_await std::move(creating);
    co_return created ? Status() : Status(created.error());
  }
  auto renewing = context_.writer.modify(
      kinds::kResourceBinding, Part::Main, name, [wanted](Json& binding) -> Result<bool> {
        const Json& owner = std::as_const(binding)["metadata"]["ownerReferences"].element(0);
        const Json& ours = (*wanted)["metadata"]["ownerReferences"].element(0);
        if (!owner.is_null() && !(owner["uid"] == ours["uid"])) {
          return Error(
              Code::Conflict,
              "failed to update binding due to different owner reference UID, will try again later "
              "after binding is garbage collected, see https://github.com/karmada-io/karmada/issues/2090");
        }
        return renew_service_binding(binding, *wanted);
      });
  const auto renewed = co_await std::move(renewing);
  co_return renewed ? Status() : Status(renewed.error());
}

// Service and binding stay, as those of a deleted policy do.
Task<Status> MultiClusterServiceReconciler::release(ObjectKey mcs) {
  auto releasing =
      context_.writer.modify(kinds::kService, Part::Main, mcs,
                             [](Json& service) -> Result<bool> { return release_service(service); });
  const auto released = co_await std::move(releasing);
  if (const auto error = failed(released ? Status() : Status(released.error()))) co_return *error;
  auto unbinding = context_.writer.modify(
      kinds::kResourceBinding, Part::Main, {mcs.ns, api::binding_name("Service", mcs.name)},
      [](Json& binding) -> Result<bool> { return release_service_binding(binding); });
  const auto unbound = co_await std::move(unbinding);
  if (const auto error = failed(unbound ? Status() : Status(unbound.error()))) co_return *error;
  co_return Status();
}

Task<Status> MultiClusterServiceReconciler::let_go(Mcs mcs) {
  const ObjectKey key = api::key_of(*mcs);
  auto releasing = release(key);
  Status done = co_await std::move(releasing);
  std::string what = "failed to delete service work :";
  if (done) {
    auto unmarking = unmark(key, {});
    done = co_await std::move(unmarking);
    what = "failed to delete MultiClusterService work :";
  }
  if (!done) {
    context_.events.record(*mcs, reconcile::kWarning, "SyncServiceFailed", what + done.error().message());
    co_return done;
  }
  auto freeing = set_finalizer(key, false);
  co_return co_await std::move(freeing);
}

Task<Status> MultiClusterServiceReconciler::set_finalizer(ObjectKey mcs, bool wanted) {
  auto writing = context_.writer.modify(
      kinds::kMultiClusterService, Part::Main, std::move(mcs), [wanted](Json& object) -> Result<bool> {
        const std::string_view mark = api::finalizers::kMultiClusterService;
        return wanted ? api::add_finalizer(object, mark) : api::remove_finalizer(object, mark);
      });
  const auto written = co_await std::move(writing);
  if (const auto error = failed(written ? Status() : Status(written.error()))) co_return *error;
  co_return Status();
}

Task<Status> MultiClusterServiceReconciler::say(ObjectKey mcs, Status outcome) {
  const bool good = outcome.ok();
  const std::string message = good ? "Service is propagated to target clusters." : outcome.error().message();
  auto writing = context_.writer.modify(
      kinds::kMultiClusterService, Part::Status, std::move(mcs),
      [good, message, now = context_.now()](Json& object) -> Result<bool> {
        return api::set_condition(object.make({"status", "conditions"}),
                                  {"ServiceApplied", good ? "True" : "False",
                                   good ? "ServiceAppliedSucceed" : "ServiceAppliedFailed", message},
                                  now);
      });
  const auto written = co_await std::move(writing);
  if (const auto error = failed(written ? Status() : Status(written.error()))) co_return *error;
  co_return Status();
}

}  // namespace flotilla::controllers
