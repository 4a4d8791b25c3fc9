// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"
#include "core/informer/label_index.hpp"

namespace flotilla::controllers {

// Works by the FederatedResourceQuota they are made for.
class QuotaWorkIndex {
 public:
  explicit QuotaWorkIndex(informer::Informers& informers);
  std::vector<ObjectPtr> of(const Context& context, const ObjectKey& quota) const;

 private:
  informer::LabelIndex by_name_;
};
// The quota that a Work is made for; nullopt: none.
std::optional<ObjectKey> quota_of_work(const api::Object& work);

// Root: FederatedResourceQuota. Wakes on: its static assignments, its deletion; a new cluster that one of
// them names. Reads: clusters. Writes: a Work with a ResourceQuota per assignment. Holds: clusters that are
// not assigned anything (any more) have none. Ends: the quota is gone, then its Works are.
class QuotaSyncReconciler final : public LoopController {
 public:
  QuotaSyncReconciler(Context& context, const QuotaWorkIndex& works);
  Task<Outcome> reconcile(Key key) override;

 private:
  Task<Status> sync(ObjectKey key, Json quota);

  const QuotaWorkIndex& works_;
};

// Root: FederatedResourceQuota. Wakes on: it, and what its Works report. Reads: its Works. Writes:
// status.aggregatedStatus; without the gate FederatedQuotaEnforcement also overall and overallUsed. Ends:
// nothing to do.
class QuotaStatusReconciler final : public LoopController {
 public:
  QuotaStatusReconciler(Context& context, const QuotaWorkIndex& works);
  Task<Outcome> reconcile(Key key) override;

 private:
  const QuotaWorkIndex& works_;
};

// Root: FederatedResourceQuota, with the gate FederatedQuotaEnforcement. Wakes on: spec.overall, the deletion
// of a binding in its namespace, and every federated_resource_quota_sync_period. Reads: the bindings of the
// namespace. Writes: status.overall, status.overallUsed. Holds: admission charges each binding as it is
// written; this only brings the sum back to what is there. Ends: nothing to do.
class QuotaEnforcementReconciler final : public LoopController {
 public:
  explicit QuotaEnforcementReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;
};

}  // namespace flotilla::controllers
