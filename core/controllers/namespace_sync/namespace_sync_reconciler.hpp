// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"
#include "core/controllers/removal_guard.hpp"
#include "core/controllers/skipped_namespaces.hpp"
#include "core/controllers/world_index.hpp"

namespace flotilla::controllers {

// Root: Namespace. Wakes on: a namespace's specification, a new cluster, a ClusterOverridePolicy that means
// namespaces, a Work of a namespace that somebody deleted or changed. Reads: clusters, cluster override
// policies. Writes: one Work per cluster. Holds: every namespace that is the user's exists in every cluster.
// Ends: the Works go with their owner, the namespace, by garbage collection.
class NamespaceSyncReconciler final : public LoopController {
 public:
  NamespaceSyncReconciler(Context& context, OverrideIndex& overrides, RemovalGuard& guard);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_override_policy(const Event& event);
  void on_work(const Event& event);
  void wake_all();
  // Its Works learn why they will go.
  Task<Outcome> let_go(ObjectPtr ns);
  bool is_propagated(const Json& ns) const;
  // Every namespace into one cluster.
  Task<Outcome> reconcile_cluster(ObjectPtr cluster);
  Task<Status> sync(std::shared_ptr<const Json> ns, std::vector<ObjectPtr> clusters);

  OverrideIndex& overrides_;
  RemovalGuard& guard_;
  SkippedNamespaces skipped_;
};

}  // namespace flotilla::controllers
