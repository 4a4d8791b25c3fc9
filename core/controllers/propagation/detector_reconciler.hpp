// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <regex>
#include <set>

#include "core/controllers/controller.hpp"
#include "core/controllers/policy_index.hpp"
#include "core/controllers/propagation/event_filter.hpp"
#include "core/controllers/templates.hpp"
#include "core/informer/label_index.hpp"

namespace flotilla::controllers {

// Roots: every resource template (objects of all kinds that are not the control plane's own),
// PropagationPolicy, ClusterPropagationPolicy. Wakes on: a template's specification; a policy's generation or
// deletion. Reads: policies, override policies that a policy depends on, bindings of a policy. Writes: claims
// on templates and bindings, bindings, the policies' finalizers. Holds: a template is claimed by at most one
// policy and keeps it until that policy is deleted or no longer means it; a claimed template has its binding.
// Ends: a deleted policy's claims are removed (bindings and workloads stay), then its finalizer goes; a
// deleted template's binding goes by garbage collection.
class DetectorReconciler final : public LoopController {
 public:
  DetectorReconciler(Context& context, PolicyIndex& policies);
  Task<Outcome> reconcile(Key key) override;

 private:
  // Templates.
  void on_any(const Event& event);
  void on_binding(const Event& event);
  const StoredKind* template_kind(const Collection& collection);
  bool is_skipped_namespace(const std::string& ns);
  Task<Outcome> reconcile_template(Key key, StoredKind kind);
  Task<Outcome> release_if_orphaned(Key key, StoredKind kind, ObjectPtr object, Claim claim);
  Task<Outcome> match(Key key, StoredKind kind, ObjectPtr object);
  Task<Outcome> apply(Key key, StoredKind kind, ObjectPtr object,
                      std::shared_ptr<const ClaimingPolicy> policy);
  Task<Outcome> apply_now(Key key, StoredKind kind, ObjectPtr object,
                          std::shared_ptr<const ClaimingPolicy> policy);
  Task<Status> put_binding(StoredKind kind, ObjectPtr object, Json policy);
  bool has_dependent_overrides(const ClaimingPolicy& policy) const;

  // Policies.
  void on_policy(const Event& event);
  Task<Outcome> reconcile_policy(Key key);
  Task<Outcome> let_policy_go(Key key, ObjectPtr policy);
  Task<Status> release(Key binding_key, Claim claim, bool only_unmatched,
                       std::shared_ptr<const ClaimingPolicy> policy);
  Task<Status> unclaim(StoredKind kind, ObjectKey key, Claim claim);
  std::vector<Key> bindings_of(const Claim& claim) const;
  void wake_waiting(const ClaimingPolicy& policy);

  PolicyIndex& policies_;
  informer::LabelIndex bindings_by_policy_;
  informer::LabelIndex bindings_by_cluster_policy_;
  informer::LabelIndex cluster_bindings_by_cluster_policy_;
  SkippedApis skipped_;
  std::regex skipped_namespaces_;
  // On the informers' strand.
  std::map<Collection, std::optional<StoredKind>> kinds_;
  std::map<std::string, bool> skipped_namespace_;
  // On the loop's strand: templates that no policy means, once their second look is over.
  std::set<Key> waiting_;
  std::shared_ptr<Histogram> matching_, applied_, not_applied_;
};

}  // namespace flotilla::controllers
