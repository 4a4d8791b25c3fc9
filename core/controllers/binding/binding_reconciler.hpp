// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <set>

#include "core/api/resource_selector.hpp"
#include "core/controllers/binding/render_works.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/own_writes.hpp"
#include "core/controllers/reinterpretation.hpp"
#include "core/controllers/removal_guard.hpp"
#include "core/controllers/world_index.hpp"

namespace flotilla::controllers {

// Root: ResourceBinding, ClusterResourceBinding. Wakes on: a binding's generation or deletion; an override
// policy, for the bindings whose template it means or meant; a Work that was deleted, or changed by somebody
// else; how replicas of its kind are set; a Work's status, while a removal of its binding is held. Reads:
// template, clusters, override policies, Works of the binding. Writes: Works. Holds: each cluster in
// spec.clusters and requiredBy has exactly the Work that follows from template, replicas and overrides; no
// other cluster has one, save those evicted from gracefully and those that the guard holds. Ends: Works are
// deleted, the finalizer karmada.io/(cluster-resource-)binding-controller goes.
class BindingReconciler final : public LoopController {
 public:
  BindingReconciler(Context& context, WorkIndex& works, OverrideIndex& overrides, RemovalGuard& guard);
  Task<Outcome> reconcile(Key key) override;

 private:
  using Selectors = std::vector<api::ResourceSelector>;

  void on_binding(const Event& event);
  void on_override_policy(const Event& event);
  void on_work(const Event& event);

  Task<Outcome> reconcile_binding(const BindingScope& scope, ObjectPtr binding);
  Task<Outcome> sync_works(const BindingScope& scope, ObjectPtr binding);
  // Makes the bindings due whose templates an override policy means.
  Task<void> spread(Key policy);
  Task<void> spread_in(Collection bindings, std::string ns, Selectors selectors);
  // Its binding is due if somebody else changed the Work, or if something of the binding is held.
  void look_at_work(const Key& work);

  Task<Outcome> let_go(const BindingScope& scope, ObjectPtr binding);
  // What the guard holds of the Works that are not wanted; all others are gone or going.
  Task<Result<RemovalGuard::Holds>> remove_orphans(BindingScope scope, ObjectPtr binding,
                                                   std::vector<std::string> keep);
  // Remembers and reports what is held. Answers when to look again.
  Task<Result<std::optional<Duration>>> report_holds(BindingScope scope, ObjectPtr binding,
                                                     RemovalGuard::Holds holds);
  bool is_waiting_for_purge(const BindingScope& scope, const Json& binding) const;
  Rendered render(const Json& binding, const Json& template_,
                  const interpreter::Interpreter& interpreter) const;
  // True: it was written.
  Task<Result<bool>> put_work(Json work);
  void tell(const Json& binding, const Json& template_, const Rendered& rendered, const std::string& errors,
            bool changed);

  WorkIndex& works_;
  OverrideIndex& overrides_;
  RemovalGuard& guard_;
  OwnWrites own_;
  Reinterpretation reinterpretation_;
  std::mutex mutex_;
  // Override policies that changed: what they mean and meant. An empty list means all.
  std::map<Key, std::vector<Selectors>> to_spread_;
  std::set<Key> held_;  // bindings of which a removal is held; on the loop's strand
  std::atomic<bool> any_held_ = false;
};

}  // namespace flotilla::controllers
