// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cluster_health/cluster_taint_policy_reconciler.hpp"

#include <algorithm>

#include "core/controllers/cluster_health/cluster_taints.hpp"

namespace flotilla::controllers {

ClusterTaintPolicyReconciler::ClusterTaintPolicyReconciler(Context& context)
    : LoopController(context, "cluster-taint-policy") {
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
  context.informers.on(kinds::kClusterTaintPolicy.collection(),
                       [this](const Event& event) { on_policy(event); });
}

void ClusterTaintPolicyReconciler::on_cluster(const Event& event) {
  if (event.type == Event::Type::Deleted) return;
  if (event.previous && (*event.previous->content())["status"]["conditions"] ==
                            (*event.object->content())["status"]["conditions"]) {
    return;
  }
  enqueue(event);
}

void ClusterTaintPolicyReconciler::on_policy(const Event& event) {
  if (event.type == Event::Type::Deleted) return;
  if (event.previous && event.previous->generation() == event.object->generation()) return;
  for (const ObjectPtr& cluster : context_.store.list(kinds::kCluster.collection()).objects) {
    loop_.enqueue({kinds::kCluster.collection(), cluster->key()});
  }
}

std::vector<Json> ClusterTaintPolicyReconciler::policies() const {
  std::vector<Json> policies;
  for (const ObjectPtr& policy : context_.store.list(kinds::kClusterTaintPolicy.collection()).objects) {
    policies.push_back(*policy->content());
  }
  const auto made = [](const Json& policy) { return policy["metadata"]["creationTimestamp"].as_string(); };
  std::stable_sort(policies.begin(), policies.end(),
                   [&](const Json& a, const Json& b) { return made(a) < made(b); });
  return policies;
}

Task<Outcome> ClusterTaintPolicyReconciler::reconcile(Key key) {
  const ObjectPtr cluster = context_.get(kinds::kCluster, key.object);
  if (!cluster || cluster->deleting()) co_return Outcome::done();
  const auto policies = std::make_shared<const std::vector<Json>>(this->policies());
  if (policies->empty()) co_return Outcome::done();
  const WallTime now = context_.now();
  auto changing = context_.writer.modify(kinds::kCluster, Part::Main, key.object,
                                         [policies, now](Json& object) -> Result<bool> {
                                           Json taints = taints_by_policies(object, *policies, now);
                                           const Json& known = std::as_const(object)["spec"]["taints"];
                                           if (known == taints || (known.empty() && taints.empty()))
                                             return false;
                                           set_taints(object, std::move(taints));
                                           return true;
                                         });
  const auto changed = co_await std::move(changing);
  if (!changed && changed.error().is(Code::NotFound)) co_return Outcome::done();
  if (!changed) {
    context_.events.record(*cluster->content(), reconcile::kWarning, "TaintClusterFailed",
                           "Taint cluster failed: " + changed.error().message());
    co_return Outcome::retry(changed.error());
  }
  if ((*changed)->revision() != cluster->revision()) {
    context_.events.record(*cluster->content(), reconcile::kNormal, "TaintClusterSucceed",
                           "Taint cluster succeed: " + taints_text(*(*changed)->content()));
  }
  co_return Outcome::done();
}

}  // namespace flotilla::controllers
