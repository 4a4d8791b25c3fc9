// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cluster_health/cluster_reconciler.hpp"

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/controllers/cluster_health/cluster_taints.hpp"
#include "core/controllers/facts.hpp"

namespace flotilla::controllers {
namespace {

// Karmada looks again every 10 s; the informer wakes us earlier whenever something moved.
constexpr Duration kLookAgain = std::chrono::seconds(10);

Json execution_space(const std::string& name) {
  return Json::object(
      {{"apiVersion", "v1"},
       {"kind", "Namespace"},
       {"metadata",
        Json::object({{"name", name}, {"labels", Json::object({{api::labels::kSystem, api::kTrue}})}})},
       {"spec", Json::object({{"finalizers", Json::array({"kubernetes"})}})},
       {"status", Json::object({{"phase", "Active"}})}});
}

}  // namespace

ClusterReconciler::ClusterReconciler(Context& context, RemovalGuard& guard)
    : LoopController(context, "cluster"), guard_(guard) {
  wake_on(kinds::kCluster);
  context.informers.on(kinds::kNamespace.collection(), [this](const Event& event) {
    const auto cluster = api::cluster_of_execution_namespace(event.object->name());
    if (cluster) loop_.enqueue({kinds::kCluster.collection(), {"", *cluster}});
  });
}

Task<Outcome> ClusterReconciler::reconcile(Key key) {
  const ObjectPtr cluster = context_.get(kinds::kCluster, key.object);
  if (!cluster) co_return Outcome::done();
  auto step = cluster->deleting() ? let_go(cluster) : keep(cluster);
  co_return co_await std::move(step);
}

Task<Outcome> ClusterReconciler::keep(ObjectPtr cluster) {
  const std::string space = api::execution_namespace(cluster->name());
  if (!context_.get(kinds::kNamespace, {"", space})) {
    Json made = execution_space(space);
    auto creating = context_.writer.create(kinds::kNamespace, std::move(made));
    const auto created = co_await std::move(creating);
    if (!created && !created.error().is(Code::AlreadyExists)) {
      const std::string message =
          "Failed to create execution space(" + space + "): " + created.error().message();
      context_.events.record(*cluster->content(), reconcile::kWarning, "CreateExecutionSpaceFailed", message);
      co_return Outcome::retry(created.error());
    }
    context_.events.record(*cluster->content(), reconcile::kNormal, "CreateExecutionSpaceSucceed",
                           "Created execution space(" + space + ") for cluster(" + cluster->name() + ").");
  }
  auto keeping = keep_taints(cluster);
  co_return Outcome::of(co_await std::move(keeping));
}

Task<Status> ClusterReconciler::keep_taints(ObjectPtr cluster) {
  const WallTime now = context_.now();
  const auto tainted = std::make_shared<bool>(false);
  auto changing = context_.writer.modify(
      kinds::kCluster, Part::Main, cluster->key(), [now, tainted](Json& object) -> Result<bool> {
        *tainted = false;
        const bool changed = api::add_finalizer(object, api::finalizers::kCluster);
        Json taints = taints_by_condition(object, now);
        const Json& known = std::as_const(object)["spec"]["taints"];
        if (known == taints || (known.empty() && taints.empty())) return changed;
        *tainted = true;
        set_taints(object, std::move(taints));
        return true;
      });
  const auto changed = co_await std::move(changing);
  if (!changed && changed.error().is(Code::NotFound)) co_return Status();
  const auto content = cluster->content();
  if (!changed) {
    context_.events.record(*content, reconcile::kWarning, "TaintClusterFailed",
                           "Taint cluster failed: " + changed.error().message());
    co_return changed.error();
  }
  if (*tainted) {
    context_.events.record(*content, reconcile::kNormal, "TaintClusterSucceed",
                           "Taint cluster succeed: " + taints_text(*(*changed)->content()));
  }
  co_return Status();
}

// 1. A pull cluster that is not Ready cannot clean up: its Works are let go. 2. The execution namespace goes,
// and with it the Works. 3. No binding names the cluster any more. 4. The finalizer goes.
Task<Outcome> ClusterReconciler::let_go(ObjectPtr cluster) {
  const auto content = cluster->content();
  if (!api::has_finalizer(*content, api::finalizers::kCluster)) co_return Outcome::done();
  const std::string space = api::execution_namespace(cluster->name());
  const bool ready = api::is_condition_true((*content)["status"]["conditions"], api::conditions::kReady);
  if ((*content)["spec"]["syncMode"].as_string() == "Pull" && !ready) {
    auto forgetting = forget_works(space);
    const Status forgotten = co_await std::move(forgetting);
    if (!forgotten) co_return Outcome::retry(forgotten.error());
  }
  if (context_.get(kinds::kNamespace, {"", space})) {
    auto removing = remove_execution_space(cluster);
    const Status removed = co_await std::move(removing);
    if (removed) co_return Outcome::again_in(kLookAgain);
    context_.events.record(*content, reconcile::kWarning, "RemoveExecutionSpaceFailed",
                           "Failed to remove execution space for cluster(" + cluster->name() +
                               "): " + removed.error().message());
    co_return Outcome::retry(removed.error());
  }
  if (is_bound(cluster->name())) co_return Outcome::again_in(std::chrono::seconds(1));
  auto freeing = context_.writer.modify(
      kinds::kCluster, Part::Main, cluster->key(),
      [](Json& object) -> Result<bool> { return api::remove_finalizer(object, api::finalizers::kCluster); });
  const auto freed = co_await std::move(freeing);
  if (!freed && !freed.error().is(Code::NotFound)) co_return Outcome::retry(freed.error());
  co_return Outcome::done();
}

Task<Status> ClusterReconciler::forget_works(std::string space) {
  for (const ObjectPtr& work : context_.store.list(kinds::kWork.collection(), space).objects) {
    auto freeing =
        context_.writer.modify(kinds::kWork, Part::Main, work->key(), [](Json& object) -> Result<bool> {
          return api::remove_finalizer(object, api::finalizers::kExecution);
        });
    const auto freed = co_await std::move(freeing);
    if (!freed && !freed.error().is(Code::NotFound)) co_return freed.error();
  }
  co_return Status();
}

// The namespace first, so that nobody makes Works in it any more; then its Works, which learn why.
Task<Status> ClusterReconciler::remove_execution_space(ObjectPtr cluster) {
  const std::string space = api::execution_namespace(cluster->name());
  const ObjectPtr present = context_.get(kinds::kNamespace, {"", space});
  if (!present || present->deleting()) co_return Status();
  auto removing = context_.writer.remove(kinds::kNamespace, {"", space});
  const auto removed = co_await std::move(removing);
  if (!removed && !removed.error().is(Code::NotFound)) co_return removed.error();
  const api::RemovalCause cause{api::RemovalReason::ClusterRemoved,
                                "user",
                                "cluster " + cluster->name() + " was removed",
                                format_time(context_.now()),
                                {}};
  for (const ObjectPtr& work : context_.store.list(kinds::kWork.collection(), space).objects) {
    if (work->deleting()) continue;
    auto letting = guard_.remove(work->key(), cause);
    const Status let = co_await std::move(letting);
    if (!let) co_return let;
  }
  context_.events.record(*cluster->content(), reconcile::kNormal, "RemoveExecutionSpaceSucceed",
                         "Removed execution space for cluster(" + cluster->name() + ").");
  co_return Status();
}

bool ClusterReconciler::is_bound(const std::string& cluster) const {
  const std::string text = "\"" + cluster + "\"";
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    for (const ObjectPtr& binding : context_.store.list(scope->kind.collection()).objects) {
      if (!mentions(*binding, text)) continue;
      const auto content = binding->content();
      for (const Json& target : (*content)["spec"]["clusters"].elements()) {
        if (target["name"].as_string() == cluster) return true;
      }
    }
  }
  return false;
}

}  // namespace flotilla::controllers
