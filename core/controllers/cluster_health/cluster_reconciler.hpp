// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// Root: Cluster. Wakes on: Cluster; its execution namespace; bindings do not wake it, it looks again while
// deleting. Reads: Works and bindings of the cluster when it goes. Writes: execution namespace, spec.taints,
// the finalizer. Holds: a live cluster has its execution namespace `karmada-es-<name>`, the taints its Ready
// condition calls for, and the finalizer karmada.io/cluster-controller. Ends: the namespace and everything in
// it is gone and no binding names the cluster; then the finalizer goes.
class ClusterReconciler final : public LoopController {
 public:
  explicit ClusterReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  Task<Outcome> keep(ObjectPtr cluster);
  Task<Outcome> let_go(ObjectPtr cluster);
  bool is_bound(const std::string& cluster) const;
};

}  // namespace flotilla::controllers
