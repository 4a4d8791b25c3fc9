// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/kube/kube_controllers.hpp"
#include "core/reconcile/loop.hpp"

namespace flotilla::controllers {

// Root: CertificateSigningRequest. Wakes on: it. Writes: status.certificate of requests that somebody
// approved for kubernetes.io/kube-apiserver-client or ...-kubelet; the condition Failed where the request
// cannot be signed. Holds: nothing is signed that was denied, and nothing twice. Ends: with the request.
class CertificateReconciler final : public reconcile::Reconciler {
 public:
  explicit CertificateReconciler(KubeContext& context);
  Task<reconcile::Outcome> reconcile(reconcile::Key key) override;
  reconcile::Loop& loop() { return loop_; }

 private:
  KubeContext& context_;
  reconcile::Loop loop_;
};

}  // namespace flotilla::controllers
