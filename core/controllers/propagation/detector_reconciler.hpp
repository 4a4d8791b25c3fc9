// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "core/controllers/claimed_templates.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/policy_index.hpp"
#include "core/controllers/propagation/event_filter.hpp"
#include "core/controllers/reinterpretation.hpp"
#include "core/controllers/served_kinds.hpp"
#include "core/controllers/skipped_namespaces.hpp"
#include "core/controllers/templates.hpp"
#include "core/informer/label_index.hpp"

namespace flotilla::controllers {

// Roots: every resource template (objects of all kinds that are not the control plane's own),
// PropagationPolicy, ClusterPropagationPolicy. Wakes on: a template's specification; a policy's generation or
// deletion; an override policy that a policy waits for; a binding that vanished; what replicas of its kind
// are. Reads: policies, override policies that a policy depends on, bindings of a policy. Writes: claims on
// templates and bindings, bindings, the policies' finalizers. Holds: a template is claimed by at most one
// policy and keeps it until that policy is deleted or no longer means it, or another preempts it; a claimed
// template has its binding, save that a lazy policy takes effect with the user's next change only. Ends: a
// deleted policy's claims are removed (bindings and workloads stay), then its finalizer goes; a deleted
// template's binding goes by garbage collection.
class DetectorReconciler final : public LoopController {
 public:
  DetectorReconciler(Context& context, PolicyIndex& policies);
  Task<Outcome> reconcile(Key key) override;

 private:
  using PolicyPtr = std::shared_ptr<const ClaimingPolicy>;
  // A template as it is, and whether somebody else than Karmada changed it since it was last looked at.
  struct Look {
    Key key;
    StoredKind kind;
    ObjectPtr object;
    bool by_user = false;
  };

  // Templates.
  void on_any(const Event& event);
  void on_binding(const Event& event);
  // The template of a binding; nullopt: its kind is not served.
  std::optional<Key> template_key(const Json& binding) const;
  bool is_skipped_namespace(const std::string& ns);
  void mark_changed_by_user(const Key& key);
  bool take_changed_by_user(const Key& key);
  Task<Outcome> reconcile_template(Look look);
  Task<Outcome> release_if_orphaned(Look look, Claim claim);
  Task<Outcome> match(Look look);
  Task<Outcome> apply(Look look, PolicyPtr policy);
  // 1. What the policy depends on is there. 2. Claim. 3. Binding. True: the binding was written.
  Task<Result<bool>> apply_now(Look look, PolicyPtr policy);
  Task<Result<ObjectPtr>> claim_template(StoredKind kind, ObjectKey key, Claim claim);
  Task<Result<bool>> put_binding(ObjectPtr object, Json policy);
  // Of those that the policy depends on; empty: all are there.
  std::string missing_override(const ClaimingPolicy& policy) const;
  void tell_scale(const Json& object, const Result<Json>& scale);

  // Policies (policy_reconciler.cpp).
  void on_policy(const Event& event);
  void on_override_policy(const Event& event);
  Task<Outcome> reconcile_policy(Key key);
  Task<Status> look_at_claimed(PolicyPtr policy);
  Task<Outcome> let_policy_go(Key key, ObjectPtr policy);
  enum class First { Template, Binding };
  Task<Status> release(Key template_key, Key binding_key, Claim claim, First first);
  Task<Status> unclaim(Key key, Claim claim);
  // Template -> its binding, of all that the policy has claimed.
  Task<std::map<Key, Key>> claimed_by(Claim claim);
  // How many there were.
  Task<std::size_t> wake_waiting(PolicyPtr policy);
  void tell_reach(const Json& object, const ClaimingPolicy& policy, std::size_t woken);

  // Preemption (preemption_reconciler.cpp).
  void wake_preempting(const ClaimingPolicy& before, const ClaimingPolicy& after);
  Task<Status> preempt(PolicyPtr policy);
  Task<Status> preempt_one(PolicyPtr policy, api::ResourceSelector selector);

  PolicyIndex& policies_;
  ClaimedTemplates claimed_;
  informer::LabelIndex bindings_by_policy_;
  informer::LabelIndex bindings_by_cluster_policy_;
  informer::LabelIndex cluster_bindings_by_cluster_policy_;
  SkippedNamespaces skipped_namespaces_;
  // On the informers' strand.
  ServedKinds template_kinds_;
  std::map<std::string, bool> skipped_namespace_;
  // On the loop's strand.
  ServedKinds kinds_;
  // Templates that no policy means, or whose policy waits for its override policies.
  std::set<Key> waiting_;
  std::mutex changed_mutex_;
  std::set<Key> changed_by_user_;  // templates, and policies since the start
  Reinterpretation reinterpretation_;
  std::shared_ptr<Histogram> matching_, applied_, not_applied_;
};

}  // namespace flotilla::controllers
