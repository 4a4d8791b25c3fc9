// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/kube/kube_controllers.hpp"
#include "core/reconcile/loop.hpp"

namespace flotilla::controllers {

// Roots: Namespace, Secret of type kubernetes.io/service-account-token. Wakes on: both, and service accounts.
// Writes: the service account "default" and the ConfigMap kube-root-ca.crt of each live namespace; token, CA
// and namespace of token secrets. Holds: a token secret whose account is gone goes too. Ends: nothing to do.
class ServiceAccountReconciler final : public reconcile::Reconciler {
 public:
  explicit ServiceAccountReconciler(KubeContext& context);
  Task<reconcile::Outcome> reconcile(reconcile::Key key) override;
  reconcile::Loop& loop() { return loop_; }

 private:
  Task<reconcile::Outcome> furnish(std::string ns);
  Task<reconcile::Outcome> fill_secret(api::ObjectPtr secret);

  KubeContext& context_;
  reconcile::Loop loop_;
};

}  // namespace flotilla::controllers
