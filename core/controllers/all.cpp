// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/all.hpp"

#include <algorithm>

#include "core/controllers/agency/lease_reconciler.hpp"
#include "core/controllers/binding/binding_reconciler.hpp"
#include "core/controllers/cluster_health/cluster_reconciler.hpp"
#include "core/controllers/cluster_health/cluster_taint_policy_reconciler.hpp"
#include "core/controllers/cluster_health/lease_monitor_reconciler.hpp"
#include "core/controllers/cluster_status/cluster_status_reconciler.hpp"
#include "core/controllers/cron_autoscale/cron_autoscale_reconciler.hpp"
#include "core/controllers/dependencies/dependencies_reconciler.hpp"
#include "core/controllers/deschedule/deschedule_reconciler.hpp"
#include "core/controllers/dispatch/execution_reconciler.hpp"
#include "core/controllers/eviction/application_failover_reconciler.hpp"
#include "core/controllers/eviction/graceful_eviction_reconciler.hpp"
#include "core/controllers/eviction/taint_eviction_reconciler.hpp"
#include "core/controllers/federated_autoscale/federated_autoscale_reconciler.hpp"
#include "core/controllers/multi_cluster_service/mcs_reconciler.hpp"
#include "core/controllers/namespace_sync/namespace_sync_reconciler.hpp"
#include "core/controllers/propagation/detector_reconciler.hpp"
#include "core/controllers/quota/quota_reconciler.hpp"
#include "core/controllers/rebalance/rebalance_reconciler.hpp"
#include "core/controllers/remedy/remedy_reconciler.hpp"
#include "core/controllers/removal_guard.hpp"
#include "core/controllers/retain_replicas/scale_mark_reconciler.hpp"
#include "core/controllers/schedule/schedule_reconciler.hpp"
#include "core/controllers/service_export/export_reconciler.hpp"
#include "core/controllers/status/binding_status_reconciler.hpp"
#include "core/controllers/status/work_status_reconciler.hpp"
#include "core/controllers/unified_auth/unified_auth_reconciler.hpp"

namespace flotilla::controllers {

struct ControllerSet::State {
  // The indexes register first, so that whoever is woken already finds there what woke it.
  explicit State(Context given)
      : context(std::move(given)),
        works(context.informers),
        overrides(context.informers, context.rules),
        policies(context.informers),
        removals(context, works),
        quota_works(context.informers),
        service_works(context.informers) {
    if (context.agency) {
      add_agency();
    } else {
      add_all();
    }
  }

  void add_all() {
    all.push_back(std::make_unique<ClusterReconciler>(context, removals));
    all.push_back(std::make_unique<LeaseMonitorReconciler>(context));
    all.push_back(std::make_unique<ClusterStatusReconciler>(context));
    all.push_back(std::make_unique<NamespaceSyncReconciler>(context, overrides, removals));
    if (is_enabled(context.options, "unifiedAuth"))
      all.push_back(std::make_unique<UnifiedAuthReconciler>(context));
    all.push_back(std::make_unique<DetectorReconciler>(context, policies));
    if (context.options.feature_gates.propagate_deps)
      all.push_back(std::make_unique<DependenciesReconciler>(context));
    all.push_back(std::make_unique<ScheduleReconciler>(context));
    all.push_back(std::make_unique<BindingReconciler>(context, works, overrides, removals));
    all.push_back(std::make_unique<ExecutionReconciler>(context));
    all.push_back(std::make_unique<WorkStatusReconciler>(context));
    all.push_back(std::make_unique<BindingStatusReconciler>(context, works));
    add_failover();
    add_federation();
  }

  // Those of an agent, for its own cluster.
  void add_agency() {
    add<LeaseReconciler>("clusterStatus", true);
    add<ClusterStatusReconciler>("clusterStatus", true);
    add<ExecutionReconciler>("execution", true);
    add<WorkStatusReconciler>("workStatus", true);
    add<ServiceExportReconciler>("serviceExport", true);
    if (context.options.feature_gates.multi_cluster_service)
      add<SliceCollectReconciler>("endpointsliceCollect", true, service_works);
    add<CertificateRotationReconciler>("certRotation", false);
  }

  void add_failover() {
    const Options& options = context.options;
    const api::FeatureGates& gates = options.feature_gates;
    if (gates.graceful_eviction && is_enabled(options, "gracefulEviction"))
      all.push_back(std::make_unique<GracefulEvictionReconciler>(context, removals));
    if (is_enabled(options, "applicationFailover"))
      all.push_back(std::make_unique<ApplicationFailoverReconciler>(context));
    if (!gates.failover) return;
    all.push_back(std::make_unique<ClusterTaintPolicyReconciler>(context));
    if (!options.enable_taint_manager || !options.enable_no_execute_taint_eviction) return;
    for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope})
      all.push_back(std::make_unique<TaintEvictionReconciler>(context, *scope));
  }

  // What can be left out by name, as Karmada calls it.
  template <typename Reconciler, typename... Rest>
  void add(std::string_view name, bool by_default, Rest&... rest) {
    if (is_enabled(context.options, name, by_default))
      all.push_back(std::make_unique<Reconciler>(context, rest...));
  }

  void add_federation() {
    const api::FeatureGates& gates = context.options.feature_gates;
    add<QuotaSyncReconciler>("federatedResourceQuotaSync", true, quota_works);
    add<QuotaStatusReconciler>("federatedResourceQuotaStatus", true, quota_works);
    if (gates.federated_quota_enforcement)
      add<QuotaEnforcementReconciler>("federatedResourceQuotaEnforcement", true);
    add<RebalanceReconciler>("workloadRebalancer", true);
    add<DescheduleReconciler>("descheduler", false);
    add<RemedyReconciler>("remedy", true);
    add<FederatedAutoscaleReconciler>("federatedHorizontalPodAutoscaler", true);
    add<CronAutoscaleReconciler>("cronFederatedHorizontalPodAutoscaler", true);
    add<ScaleMarkReconciler>("hpaScaleTargetMarker", false);
    add<ReplicasSyncReconciler>("deploymentReplicasSyncer", false);
    add<ServiceExportReconciler>("serviceExport", true);
    add<EndpointSliceReconciler>("endpointSlice", true);
    add<ServiceImportReconciler>("serviceImport", true);
    if (!gates.multi_cluster_service) return;
    add<MultiClusterServiceReconciler>("multiclusterservice", true, service_works);
    add<SliceCollectReconciler>("endpointsliceCollect", true, service_works);
    add<SliceDispatchReconciler>("endpointsliceDispatch", true, service_works);
  }

  Context context;
  WorkIndex works;
  OverrideIndex overrides;
  PolicyIndex policies;
  RemovalGuard removals;
  QuotaWorkIndex quota_works;
  ServiceWorkIndex service_works;
  std::vector<std::unique_ptr<Controller>> all;
};

ControllerSet::ControllerSet(Context context) : state_(std::make_unique<State>(std::move(context))) {}
ControllerSet::~ControllerSet() {
  stop();
}

void ControllerSet::start() {
  for (const auto& controller : state_->all) controller->start();
}

void ControllerSet::stop() {
  for (const auto& controller : state_->all) controller->stop();
}

bool ControllerSet::idle() const {
  return std::all_of(state_->all.begin(), state_->all.end(),
                     [](const auto& controller) { return controller->idle(); });
}

std::vector<std::string> ControllerSet::names() const {
  std::vector<std::string> names;
  for (const auto& controller : state_->all) names.push_back(controller->name());
  return names;
}

Controller* ControllerSet::find(std::string_view name) const {
  const auto it = std::find_if(state_->all.begin(), state_->all.end(),
                               [&](const auto& controller) { return controller->name() == name; });
  return it == state_->all.end() ? nullptr : it->get();
}

const WorkIndex& ControllerSet::works() const {
  return state_->works;
}
const OverrideIndex& ControllerSet::overrides() const {
  return state_->overrides;
}
const PolicyIndex& ControllerSet::policies() const {
  return state_->policies;
}

}  // namespace flotilla::controllers
