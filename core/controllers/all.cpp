// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/all.hpp"

#include <algorithm>

#include "core/controllers/binding/binding_reconciler.hpp"
#include "core/controllers/cluster_health/cluster_reconciler.hpp"
#include "core/controllers/cluster_health/cluster_taint_policy_reconciler.hpp"
#include "core/controllers/cluster_health/lease_monitor_reconciler.hpp"
#include "core/controllers/cluster_status/cluster_status_reconciler.hpp"
#include "core/controllers/dependencies/dependencies_reconciler.hpp"
#include "core/controllers/dispatch/execution_reconciler.hpp"
#include "core/controllers/eviction/application_failover_reconciler.hpp"
#include "core/controllers/eviction/graceful_eviction_reconciler.hpp"
#include "core/controllers/eviction/taint_eviction_reconciler.hpp"
#include "core/controllers/namespace_sync/namespace_sync_reconciler.hpp"
#include "core/controllers/propagation/detector_reconciler.hpp"
#include "core/controllers/removal_guard.hpp"
#include "core/controllers/schedule/schedule_reconciler.hpp"
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
        removals(context, works) {
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

  Context context;
  WorkIndex works;
  OverrideIndex overrides;
  PolicyIndex policies;
  RemovalGuard removals;
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
