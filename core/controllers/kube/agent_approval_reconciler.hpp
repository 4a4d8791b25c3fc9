// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/kube/kube_controllers.hpp"
#include "core/reconcile/loop.hpp"

namespace flotilla::controllers {

// Root: CertificateSigningRequest. Wakes on: it; once at the start. Reads: RBAC. Writes: the condition
// Approved of requests for certificates of agents in pull clusters, where who made the request may have that;
// the roles that let agents in, where they are missing. Holds: what an agent is called and may use its
// certificate for is as Karmada has it, everything else waits for a person. Ends: with the request.
class AgentApprovalReconciler final : public reconcile::Reconciler {
 public:
  explicit AgentApprovalReconciler(KubeContext& context);
  Task<reconcile::Outcome> reconcile(reconcile::Key key) override;
  reconcile::Loop& loop() { return loop_; }

 private:
  Task<reconcile::Outcome> let_agents_in();
  Task<reconcile::Outcome> look_at(api::ObjectPtr request);

  KubeContext& context_;
  reconcile::Loop loop_;
};

}  // namespace flotilla::controllers
