// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// What was last heard of a pull cluster's agent.
struct AgentSigns {
  Json ready;         // its Ready condition
  std::string lease;  // renewTime of its Lease
  WallTime heard;     // when one of them moved
};

// Root: Cluster with syncMode Pull. Wakes on: a cluster that is new, and every cluster_monitor_period. Reads:
// the Lease karmada-cluster/<name>. Writes: the Ready condition. Holds: an agent that has neither changed its
// condition nor renewed its lease for cluster_monitor_grace_period (cluster_startup_grace_period where it
// never said anything) makes its cluster Unknown. Ends: the cluster is gone.
class LeaseMonitorReconciler final : public LoopController {
 public:
  explicit LeaseMonitorReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  // When the cluster is to be called Unknown unless its agent is heard of again.
  WallTime listen(const api::Object& cluster, const Json& content);
  Task<Status> call_unknown(ObjectPtr cluster);

  std::map<std::string, AgentSigns> signs_;
};

}  // namespace flotilla::controllers
