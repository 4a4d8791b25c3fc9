// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// Root: bindings of one scope. Wakes on: a cluster that has NoExecute taints, for the bindings that name it;
// such a binding's own changes; every 10 s while it names such a cluster. Reads: clusters, the applied
// placement. Writes: spec.clusters and spec.gracefulEvictionTasks. Holds: no cluster stays a target whose
// NoExecute taints the applied placement does not tolerate, or not any longer; each worker evicts no faster
// than resource_eviction_rate. Ends: bindings that are being deleted are left alone.
class TaintEvictionReconciler final : public LoopController {
 public:
  TaintEvictionReconciler(Context& context, const BindingScope& scope);
  Task<Outcome> reconcile(Key key) override;

 private:
  struct Due {
    std::string cluster;              // to evict from now; empty: none
    Duration next = Duration::max();  // when to look again
  };

  void on_cluster(const Event& event);
  void on_binding(const Event& event);
  // Makes the bindings due that name the cluster.
  Task<void> spread(std::string cluster);
  Task<Outcome> look_at(ObjectPtr binding);
  Result<Due> find_due(const Json& binding) const;
  Task<Status> evict_from(ObjectPtr binding, std::string cluster);
  void tell(const Json& binding, std::string_view type, std::string_view reason, const std::string& message);

  // Counts what is to be evicted, by cluster and kind, as `binding` says now.
  void count_waiting(const Key& key, const Json* binding);

  const BindingScope& scope_;
  const std::string queue_;  // how Karmada names it, in metrics
  // What is counted as waiting; on the loop's strand.
  std::map<Key, std::vector<std::shared_ptr<Gauge>>> waiting_;
  std::shared_ptr<void> depth_;
  std::set<std::string> tainted_;  // clusters with NoExecute taints; on the informers' strand
};

}  // namespace flotilla::controllers
