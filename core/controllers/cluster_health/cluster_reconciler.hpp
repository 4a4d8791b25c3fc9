// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"
#include "core/controllers/removal_guard.hpp"

namespace flotilla::controllers {

// Root: Cluster. Wakes on: Cluster; its execution namespace; bindings do not wake it, it looks again while
// deleting. Reads: Works and bindings of the cluster when it goes. Writes: execution namespace, spec.taints,
// the finalizer. Holds: a live cluster has its execution namespace `karmada-es-<name>`, the taints its Ready
// condition calls for, and the finalizer karmada.io/cluster-controller. Ends: the namespace and everything in
// it is gone and no binding names the cluster; then the finalizer goes.
class ClusterReconciler final : public LoopController {
 public:
  ClusterReconciler(Context& context, RemovalGuard& guard);
  Task<Outcome> reconcile(Key key) override;

 private:
  Task<Outcome> keep(ObjectPtr cluster);
  Task<Status> keep_taints(ObjectPtr cluster);
  Task<Outcome> let_go(ObjectPtr cluster);
  // An agent that is gone cannot clean up: its Works are let go of.
  Task<Status> forget_works(std::string space);
  Task<Status> remove_execution_space(ObjectPtr cluster);
  bool is_bound(const std::string& cluster) const;

  RemovalGuard& guard_;
};

}  // namespace flotilla::controllers
