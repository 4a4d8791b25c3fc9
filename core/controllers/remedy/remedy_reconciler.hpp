// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// Root: Cluster. Wakes on: the cluster's conditions; a Remedy that speaks, or spoke, of it. Reads: remedies.
// Writes: Cluster.status.remedyActions. Ends: nothing to do.
class RemedyReconciler final : public LoopController {
 public:
  explicit RemedyReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_cluster(const Event& event);
  void on_remedy(const Event& event);
};

}  // namespace flotilla::controllers
