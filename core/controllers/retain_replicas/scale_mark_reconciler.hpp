// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// Off by default. Root: what a HorizontalPodAutoscaler of the control plane scales. Wakes on: autoscalers
// that are propagated, that change their target, that are deleted. Reads: the autoscalers of the namespace.
// Writes: the label resourcetemplate.karmada.io/retain-replicas of the target. Ends: the last autoscaler
// leaves it, then the label goes.
class ScaleMarkReconciler final : public LoopController {
 public:
  explicit ScaleMarkReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_autoscaler(const Event& event);
  void enqueue_target(const Json& autoscaler);
};

// Off by default. Root: Deployment with that label, whose binding is divided. Wakes on: its replicas, in spec
// or status, and the label. Reads: its binding. Writes: its spec.replicas, from its status. Ends: nothing to
// do.
class ReplicasSyncReconciler final : public LoopController {
 public:
  explicit ReplicasSyncReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;
};

}  // namespace flotilla::controllers
