// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <regex>

#include "core/controllers/controller.hpp"
#include "core/controllers/removal_guard.hpp"
#include "core/controllers/world_index.hpp"

namespace flotilla::controllers {

// Root: Namespace. Wakes on: a namespace's specification, a new cluster, a ClusterOverridePolicy. Reads:
// clusters, cluster override policies. Writes: one Work per cluster. Holds: every namespace that is the
// user's exists in every cluster. Ends: the Works go with their owner, the namespace, by garbage collection.
class NamespaceSyncReconciler final : public LoopController {
 public:
  NamespaceSyncReconciler(Context& context, OverrideIndex& overrides, RemovalGuard& guard);
  Task<Outcome> reconcile(Key key) override;

 private:
  void wake_all();
  // Its Works learn why they will go.
  Task<Outcome> let_go(ObjectPtr ns);
  bool is_propagated(const Json& ns) const;
  Task<Status> put_work(Json work);

  OverrideIndex& overrides_;
  RemovalGuard& guard_;
  std::regex skipped_namespaces_;
};

}  // namespace flotilla::controllers
