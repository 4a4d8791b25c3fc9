// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/unified_auth/unified_auth_reconciler.hpp"

#include <set>

#include "core/api/wrap_manifest.hpp"
#include "core/controllers/put_work.hpp"
#include "core/controllers/unified_auth/impersonation.hpp"

namespace flotilla::controllers {
namespace {

Collection roles() {
  return store::collection_of("rbac.authorization.k8s.io", "clusterroles");
}

Collection role_bindings() {
  return store::collection_of("rbac.authorization.k8s.io", "clusterrolebindings");
}

}  // namespace

UnifiedAuthReconciler::UnifiedAuthReconciler(Context& context) : LoopController(context, "unified-auth") {
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
  context.informers.on(roles(), [this](const Event& event) { on_role(event); });
  context.informers.on(role_bindings(), [this](const Event& event) { on_role_binding(event); });
}

void UnifiedAuthReconciler::on_cluster(const Event& event) {
  if (event.type == Event::Type::Deleted) return;
  const bool same = event.previous && (*event.previous->content())["spec"]["impersonatorSecretRef"] ==
                                          (*event.object->content())["spec"]["impersonatorSecretRef"];
  if (!same) enqueue(event);
}

// At the start every cluster is due anyway.
void UnifiedAuthReconciler::on_role(const Event& event) {
  if (!context_.informers.synced()) return;
  if (allows_proxy(*event.object->content(), {}) ||
      (event.previous && allows_proxy(*event.previous->content(), {}))) {
    wake_all();
  }
}

void UnifiedAuthReconciler::on_role_binding(const Event& event) {
  if (!context_.informers.synced()) return;
  const auto content = event.object->content();
  const Json& reference = (*content)["roleRef"];
  if (reference["kind"].as_string() != "ClusterRole") return;
  const ObjectPtr role = context_.store.get(roles(), "", std::string(reference["name"].as_string()));
  if (role && allows_proxy(*role->content(), {})) wake_all();
}

void UnifiedAuthReconciler::wake_all() {
  const auto clusters = context_.store.list(kinds::kCluster.collection()).objects;
  for (const ObjectPtr& cluster : clusters)
    loop_.enqueue({kinds::kCluster.collection(), cluster->key()}, reconcile::kBackground);
}

Json UnifiedAuthReconciler::rules_for(const std::string& cluster) const {
  std::set<std::string, std::less<>> allowing;
  const auto all_roles = context_.store.list(roles()).objects;
  for (const ObjectPtr& role : all_roles) {
    if (allows_proxy(*role->content(), cluster)) allowing.insert(role->name());
  }
  std::vector<Json> subjects;
  const auto bindings = context_.store.list(role_bindings()).objects;
  for (const ObjectPtr& binding : bindings) {
    const auto content = binding->content();
    const Json& reference = (*content)["roleRef"];
    if (reference["kind"].as_string() != "ClusterRole" || !allowing.contains(reference["name"].as_string()))
      continue;
    for (const Json& subject : (*content)["subjects"].elements()) subjects.push_back(subject);
  }
  return impersonation_rules(subjects);
}

Task<Outcome> UnifiedAuthReconciler::reconcile(Key key) {
  const ObjectPtr cluster = context_.get(kinds::kCluster, key.object);
  if (!cluster || cluster->deleting()) co_return Outcome::done();
  const auto content = cluster->content();
  const Json& secret = (*content)["spec"]["impersonatorSecretRef"];
  if (secret.is_null()) co_return Outcome::done();
  auto role = put(cluster, impersonator_role(rules_for(cluster->name())));
  Status done = co_await std::move(role);
  if (done) {
    auto binding = put(cluster, impersonator_role_binding(secret["namespace"].as_string()));
    done = co_await std::move(binding);
  }
  if (!done) {
    context_.events.record(*content, reconcile::kWarning, "SyncImpersonationConfigFailed",
                           done.error().message());
    // The execution namespace of a new cluster may not be there yet.
    co_return Outcome::retry(done.error());
  }
  context_.events.record(*content, reconcile::kNormal, "SyncImpersonationConfigSucceed",
                         "Sync impersonation config succeed.");
  co_return Outcome::done();
}

Task<Status> UnifiedAuthReconciler::put(ObjectPtr cluster, Json manifest) {
  api::WorkFrame frame;
  frame.cluster = cluster->name();
  frame.finalizers = {std::string(api::finalizers::kExecution)};
  Json work = api::wrap_manifest(std::move(manifest), frame);
  work.make({"metadata", "ownerReferences"}) =
      Json::array({Json::object({{"apiVersion", api::versions::kCluster},
                                 {"kind", "Cluster"},
                                 {"name", cluster->name()},
                                 {"uid", cluster->uid()},
                                 {"controller", true},
                                 {"blockOwnerDeletion", true}})});
  auto putting = put_work(context_, std::move(work));
  co_return co_await std::move(putting);
}

}  // namespace flotilla::controllers
