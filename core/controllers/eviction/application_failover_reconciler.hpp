// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "core/controllers/controller.hpp"
#include "core/controllers/eviction/application_failover.hpp"

namespace flotilla::controllers {

// Root: ResourceBinding, ClusterResourceBinding with spec.failover.application. Wakes on: every change of
// such a binding, and when a toleration ends. Reads: status.aggregatedStatus. Writes: spec.clusters and
// spec.gracefulEvictionTasks. Holds: a copy that its cluster reports unhealthy for longer than
// tolerationSeconds is evicted. Since when is remembered in memory alone, as in Karmada: a restart counts
// anew. Ends: bindings that are gone are forgotten.
class ApplicationFailoverReconciler final : public LoopController {
 public:
  explicit ApplicationFailoverReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_binding(const Event& event);
  bool can_judge_health(const Json& binding) const;
  Task<Status> evict_all(BindingScope scope, ObjectPtr binding, std::vector<std::string> clusters);
  void tell(const Json& binding, std::string_view type, std::string_view reason, const std::string& message);

  std::map<Key, UnhealthySince> since_;  // on the loop's strand
};

}  // namespace flotilla::controllers
