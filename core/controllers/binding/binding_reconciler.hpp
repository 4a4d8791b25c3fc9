// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/binding/render_works.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/world_index.hpp"

namespace flotilla::controllers {

// Root: ResourceBinding, ClusterResourceBinding. Wakes on: a binding's generation or deletion; an override
// policy, for the bindings whose template it means; a Work that was deleted while its binding still wants it.
// Reads: template, clusters, override policies, Works of the binding. Writes: Works. Holds: each cluster in
// spec.clusters and requiredBy has exactly the Work that follows from template, replicas and overrides; no
// other cluster has one, save those evicted from gracefully. Ends: Works are deleted, the finalizer
// karmada.io/(cluster-resource-)binding-controller goes.
class BindingReconciler final : public LoopController {
 public:
  BindingReconciler(Context& context, WorkIndex& works, OverrideIndex& overrides);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_binding(const Event& event);
  void on_override_policy(const Event& event);
  void on_work(const Event& event);

  Task<Outcome> let_go(const BindingScope& scope, ObjectPtr binding);
  Task<Status> remove_orphans(const BindingScope& scope, ObjectPtr binding, std::vector<std::string> keep);
  bool is_waiting_for_purge(const BindingScope& scope, const Json& binding) const;
  Rendered render(const Json& binding, const Json& template_) const;
  Task<Status> put_work(Json work);

  WorkIndex& works_;
  OverrideIndex& overrides_;
};

}  // namespace flotilla::controllers
