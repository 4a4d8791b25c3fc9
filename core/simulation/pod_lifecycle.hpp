// SPDX-License-Identifier: Apache-2.0
// Scheduler and kubelet of the simulated cluster: a pod is bound to a node that has room, starts, becomes
// Ready, ends if it is a job's, and is gone some time after it was deleted. A pod that fits nowhere stays
// Pending with a FailedScheduling event and is tried again when something was freed.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "core/simulation/nodes.hpp"
#include "core/simulation/world.hpp"

namespace flotilla::simulation {

class PodLifecycle final : public reconcile::Reconciler {
 public:
  // `wake` enqueues a pod.
  PodLifecycle(World& world, NodePool& nodes, std::function<void(const ObjectKey&)> wake)
      : world_(world), nodes_(nodes), wake_(std::move(wake)) {}

  Task<Outcome> reconcile(reconcile::Key key) override;
  // Something was freed or a node changed: those that wait for room try again. On the loop's strand or before
  // start.
  void retry_unschedulable();

 private:
  struct Life {
    std::string uid;
    SteadyTime since;  // of the present step
  };

  Task<Outcome> stop(ObjectPtr pod);
  Task<Outcome> schedule(ObjectPtr pod);
  Task<Outcome> run(ObjectPtr pod);
  Task<Outcome> write(ObjectPtr pod, Json status, Duration next);
  // How much longer the present step takes; 0: over, the next one begins now.
  Duration remaining(const ObjectKey& key, const std::string& uid, Duration step);
  void next_step(const ObjectKey& key);
  std::string pod_address();

  World& world_;
  NodePool& nodes_;
  std::function<void(const ObjectKey&)> wake_;
  std::map<ObjectKey, Life> lives_;
  std::map<std::string, SteadyTime> stopping_;  // uid -> since
  std::set<ObjectKey> waiting_for_room_;
  std::uint32_t addresses_ = 0;
};

}  // namespace flotilla::simulation
