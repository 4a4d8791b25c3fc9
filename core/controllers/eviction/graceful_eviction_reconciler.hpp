// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>

#include "core/controllers/controller.hpp"
#include "core/controllers/eviction/eviction_plan.hpp"
#include "core/controllers/removal_guard.hpp"

namespace flotilla::controllers {

// Root: ResourceBinding, ClusterResourceBinding with spec.gracefulEvictionTasks. Wakes on: every change of
// such a binding; taints or Ready of any cluster, for those that have tasks. Reads: clusters, Works of the
// binding. Writes: spec.gracefulEvictionTasks, spec.clusters when an eviction is withdrawn. Holds: a task
// stays until its replacement is healthy or its time is over, and longer while the guard says that nothing
// replaces the copy; an eviction by taints that the cluster has no more is withdrawn while the old copy is
// still there, and so is one of an application that got well and that nothing replaces. Ends: no tasks,
// nothing to do.
class GracefulEvictionReconciler final : public LoopController {
 public:
  GracefulEvictionReconciler(Context& context, RemovalGuard& guard);
  Task<Outcome> reconcile(Key key) override;

 private:
  struct Plan {
    Json spec;                                       // {clusters, gracefulEvictionTasks}
    std::map<std::string, api::RemovalCause> ended;  // by cluster
    std::vector<std::string> withdrawn;
    RemovalGuard::Holds held;
    Duration look_again_in = Duration::max();
  };

  void on_binding(const Event& event);
  void on_cluster(const Event& event);
  Result<Plan> plan(const BindingScope& scope, const Json& binding) const;
  // Clusters that there is no reason any more to evict from.
  std::vector<std::string> recovered_clusters(const Json& binding, const RemovalGuard::Holds& held) const;
  bool tolerates_taints(const Json& binding, const std::string& cluster) const;
  Task<Outcome> apply(BindingScope scope, ObjectPtr binding, Plan plan);
  Task<Status> report(BindingScope scope, ObjectPtr binding, RemovalGuard::Holds holds);

  RemovalGuard& guard_;
  std::set<Key> evicting_;  // on the informers' strand
};

}  // namespace flotilla::controllers
