// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/kube/kube_controllers.hpp"
#include "core/reconcile/loop.hpp"

namespace flotilla::controllers {

// Root: ClusterRole with an aggregationRule. Wakes on: every ClusterRole. Reads: all of them. Writes: the
// rules of the root, those of the roles it selects in order of their names. Holds: a role never feeds itself.
// Ends: with the role.
class RoleAggregationReconciler final : public reconcile::Reconciler {
 public:
  explicit RoleAggregationReconciler(KubeContext& context);
  // One key for all: roles are few and feed each other.
  Task<reconcile::Outcome> reconcile(reconcile::Key key) override;
  reconcile::Loop& loop() { return loop_; }

 private:
  KubeContext& context_;
  reconcile::Loop loop_;
};

}  // namespace flotilla::controllers
