// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/kube/kube_controllers.hpp"
#include "core/reconcile/loop.hpp"

namespace flotilla::controllers {

// Root: ResourceQuota. Wakes on: the quota, and every object of its namespace. Reads: what the names in
// spec.hard count. Writes: status.hard and status.used. Holds: admission charges before an object is stored,
// so what is used is lowered only when nobody has charged for a while. Ends: with the quota.
class QuotaReconciler final : public reconcile::Reconciler {
 public:
  explicit QuotaReconciler(KubeContext& context);
  Task<reconcile::Outcome> reconcile(reconcile::Key key) override;
  reconcile::Loop& loop() { return loop_; }

 private:
  void on_any(const store::Event& event);
  // {"hard", "used"}.
  api::Json count(const api::Json& quota, const std::string& ns) const;

  KubeContext& context_;
  reconcile::Loop loop_;
};

}  // namespace flotilla::controllers
