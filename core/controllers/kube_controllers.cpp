// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/kube/kube_controllers.hpp"

#include <algorithm>
#include <vector>

#include "core/controllers/kube/agent_approval_reconciler.hpp"
#include "core/controllers/kube/certificate_reconciler.hpp"
#include "core/controllers/kube/garbage_reconciler.hpp"
#include "core/controllers/kube/namespace_reconciler.hpp"
#include "core/controllers/kube/quota_reconciler.hpp"
#include "core/controllers/kube/role_aggregation_reconciler.hpp"
#include "core/controllers/kube/service_account_reconciler.hpp"

namespace flotilla::controllers {

struct KubeControllers::State {
  explicit State(KubeContext given)
      : context(std::move(given)),
        garbage(context),
        namespaces(context),
        roles(context),
        quotas(context),
        certificates(context),
        agents(context) {
    loops = {&garbage.loop(), &namespaces.loop(),   &roles.loop(),
             &quotas.loop(),  &certificates.loop(), &agents.loop()};
    if (!context.service_accounts) return;
    accounts = std::make_unique<ServiceAccountReconciler>(context);
    loops.push_back(&accounts->loop());
  }

  KubeContext context;
  GarbageReconciler garbage;
  NamespaceReconciler namespaces;
  RoleAggregationReconciler roles;
  QuotaReconciler quotas;
  CertificateReconciler certificates;
  AgentApprovalReconciler agents;
  std::unique_ptr<ServiceAccountReconciler> accounts;
  std::vector<reconcile::Loop*> loops;
};

KubeControllers::KubeControllers(KubeContext context) : state_(std::make_unique<State>(std::move(context))) {}
KubeControllers::~KubeControllers() {
  stop();
}

void KubeControllers::start() {
  for (reconcile::Loop* loop : state_->loops) loop->start();
}

void KubeControllers::stop() {
  for (reconcile::Loop* loop : state_->loops) loop->stop();
}

bool KubeControllers::idle() const {
  return std::all_of(state_->loops.begin(), state_->loops.end(),
                     [](const auto* loop) { return loop->idle(); });
}

}  // namespace flotilla::controllers
