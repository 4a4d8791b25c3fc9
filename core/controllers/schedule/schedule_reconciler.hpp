// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"
#include "core/controllers/schedule/decision_log.hpp"
#include "core/scheduler/attempt.hpp"
#include "core/scheduler/cluster_table_builder.hpp"

namespace flotilla::controllers {

// Root: ResourceBinding, ClusterResourceBinding. Wakes on: a binding that is new or whose generation changed;
// every binding whose affinity matches a cluster before or after the cluster's labels or spec changed. Reads:
// the table of clusters. Writes: spec.clusters, the annotation policy.karmada.io/applied-placement,
// status.schedulerObserved*, status.lastScheduledTime, condition Scheduled, and beside the binding the
// record of the decision. Holds: only bindings that name
// this scheduler, are claimed and not suspended are touched; a result is replaced by an empty one only when
// no cluster fits. Ends: deleting bindings are left alone.
class ScheduleReconciler final : public LoopController {
 public:
  explicit ScheduleReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_binding(const Event& event);
  // A cluster's key is worked on by the same single worker as bindings, so the table needs no lock.
  Task<void> follow_cluster(ObjectKey key);
  Task<void> wake_matching(ObjectPtr before, ObjectPtr after);
  bool is_ours(const Json& binding) const;
  bool targets_deleting(const Json& binding) const;
  Task<Outcome> observe_generation(BindingScope const& scope, ObjectPtr binding);
  Task<Outcome> record(BindingScope const& scope, ObjectPtr binding, scheduler::Attempt attempt,
                       scheduler::ClusterTablePtr table, std::string reason);
  // A FederatedResourceQuota has no room for the result.
  Task<Outcome> refuse(BindingScope const& scope, ObjectPtr binding, Error error);
  // One try: how it ended, why it was made, how long it took.
  void count(bool ok, std::string_view reason, Duration took);
  void tell(const Json& binding, std::string_view type, std::string_view reason, const std::string& message);

  DecisionLog log_;
  scheduler::ClusterTableBuilder table_;
  std::map<std::string, ObjectPtr> clusters_;  // as the table has them
  scheduler::Options options_;
  scheduler::Workspace workspace_;
  std::array<std::shared_ptr<Counter>, 3> incoming_;
  std::shared_ptr<void> pending_;
};

}  // namespace flotilla::controllers
