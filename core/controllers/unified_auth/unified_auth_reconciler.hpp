// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// Root: Cluster with spec.impersonatorSecretRef. Wakes on: a new cluster or one whose specification changed;
// ClusterRoles that allow clusters/proxy or proxying/proxy, and their bindings. Reads: all of these. Writes:
// two Works, with the ClusterRole and the ClusterRoleBinding karmada-impersonator. Holds: the impersonator of
// a member may take the names of those, and no others, who may use its proxy. Ends: the Works go with their
// owner, the cluster.
class UnifiedAuthReconciler final : public LoopController {
 public:
  explicit UnifiedAuthReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_cluster(const Event& event);
  void on_role(const Event& event);
  void on_role_binding(const Event& event);
  void wake_all();
  Json rules_for(const std::string& cluster) const;
  Task<Status> put(ObjectPtr cluster, Json manifest);
};

}  // namespace flotilla::controllers
