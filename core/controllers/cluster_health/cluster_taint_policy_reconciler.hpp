// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// Root: Cluster. Wakes on: a cluster that is new or whose conditions changed; a ClusterTaintPolicy that is
// new or whose spec changed, for all clusters. Reads: ClusterTaintPolicies. Writes: spec.taints. Holds: the
// taints of each policy whose conditions to add hold are there, and those whose conditions to remove hold are
// not. Ends: a policy that goes leaves its taints.
class ClusterTaintPolicyReconciler final : public LoopController {
 public:
  explicit ClusterTaintPolicyReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_cluster(const Event& event);
  void on_policy(const Event& event);
  // In the order they were made.
  std::vector<Json> policies() const;
};

}  // namespace flotilla::controllers
