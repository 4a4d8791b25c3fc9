// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"
#include "core/controllers/world_index.hpp"

namespace flotilla::controllers {

// Root: ResourceBinding, ClusterResourceBinding. Wakes on: the status or deletion of one of its Works, a
// change of its targets or of its template. Reads: its Works, the template. Writes: status.aggregatedStatus,
// condition FullyApplied, the template's status. Ends: nothing to do.
class BindingStatusReconciler final : public LoopController {
 public:
  BindingStatusReconciler(Context& context, WorkIndex& works);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_binding(const Event& event);
  void on_work(const Event& event);
  Task<Status> write_template_status(Json binding, Json aggregated);

  WorkIndex& works_;
};

}  // namespace flotilla::controllers
