// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// Root: WorkloadRebalancer. Wakes on: its creation, its spec, the end of its time to live. Reads: the
// bindings of the workloads it names. Writes: their spec.rescheduleTriggeredAt, its status. Holds: a workload
// with a result is not touched again. Ends: ttlSecondsAfterFinished after it has finished it is deleted.
class RebalanceReconciler final : public LoopController {
 public:
  explicit RebalanceReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  // False: it has to be tried again.
  Task<bool> rebalance(std::shared_ptr<const Json> rebalancer, std::shared_ptr<Json> observed);
  Task<Outcome> expire(ObjectPtr rebalancer);
};

}  // namespace flotilla::controllers
