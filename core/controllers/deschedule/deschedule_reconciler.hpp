// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/cluster/registry.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/deschedule/deschedule_plan.hpp"

namespace flotilla::controllers {

// Root: one key for all ResourceBindings, looked at every descheduling_interval. Reads: bindings, what
// estimators say, and where none does pods of members as they are followed for the clusters' summaries, with
// the ReplicaSets of those that no node takes. Writes: replicas in spec.clusters, so that the scheduler
// places the missing ones anew. Holds: ready replicas stay; a member that cannot be asked loses nothing.
// Ends: with the daemon.
class DescheduleReconciler final : public LoopController {
 public:
  explicit DescheduleReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  Task<void> look_at(ObjectPtr binding);
  // What estimators say that have to be asked, of the clusters they know.
  Task<std::map<std::string, std::int64_t>> hear_estimators(std::shared_ptr<const Json> binding,
                                                            std::vector<UndesiredCluster> undesired);
  // Replicas of the binding's Deployment that the member has not been able to run for the threshold.
  Task<std::int64_t> count_unschedulable(std::string cluster, std::string ns, std::string name);
  Task<void> deschedule(ObjectPtr binding, Descheduling plan);
};

}  // namespace flotilla::controllers
