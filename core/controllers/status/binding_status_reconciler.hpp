// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"
#include "core/controllers/reinterpretation.hpp"
#include "core/controllers/world_index.hpp"

namespace flotilla::controllers {

// Root: ResourceBinding, ClusterResourceBinding. Wakes on: the status or deletion of one of its Works, a
// change of its targets or of its template, a cluster that comes or goes, how statuses of its kind are put
// together. Reads: its Works, the template, clusters. Writes: status.aggregatedStatus, condition
// FullyApplied, the template's status. Holds: what a cluster said that is not Ready now never counts as
// healthy. Ends: nothing to do.
class BindingStatusReconciler final : public LoopController {
 public:
  BindingStatusReconciler(Context& context, WorkIndex& works);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_binding(const Event& event);
  void on_work(const Event& event);
  void on_cluster(const Event& event);
  bool is_heard(const std::string& cluster) const;
  Task<void> wake_bindings_in(std::string cluster);
  void tell(const Json& binding, bool changed, const Status& reflected);
  // True: it was written.
  Task<Result<bool>> write_template_status(Json binding, Json aggregated);

  WorkIndex& works_;
  Reinterpretation reinterpretation_;
};

}  // namespace flotilla::controllers
