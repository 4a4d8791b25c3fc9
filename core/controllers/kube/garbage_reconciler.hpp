// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/kube/kube_controllers.hpp"
#include "core/informer/dependent_index.hpp"
#include "core/reconcile/loop.hpp"

namespace flotilla::controllers {

// Root: every object. Wakes on: an object that has owners and is new or got others; an object that was
// deleted or is being deleted with a finalizer of ours, and its dependents. Reads: owners and dependents.
// Writes: deletes dependents whose owners are all gone, removes references to some that are; the finalizers
// foregroundDeletion and orphan. Holds: an owner whose kind is not served is unknown, not absent: its
// dependents stay. Ends: nothing to do. (Kubernetes: garbage collection; k8s-api section 8.)
class GarbageReconciler final : public reconcile::Reconciler {
 public:
  explicit GarbageReconciler(KubeContext& context);
  Task<reconcile::Outcome> reconcile(reconcile::Key key) override;
  reconcile::Loop& loop() { return loop_; }

 private:
  enum class Owner : std::uint8_t { Present, Foreground, Absent, Unknown };

  void on_any(const store::Event& event);
  void wake_dependents(const std::string& uid);
  Owner look_up(const api::Json& reference, const std::string& ns) const;
  Task<reconcile::Outcome> judge(store::StoredKind kind, api::ObjectPtr object);
  Task<reconcile::Outcome> delete_foreground(store::StoredKind kind, api::ObjectPtr object);
  Task<reconcile::Outcome> orphan(store::StoredKind kind, api::ObjectPtr object);
  Task<Status> remove(store::StoredKind kind, api::ObjectPtr object, std::string propagation);
  Task<reconcile::Outcome> drop_finalizer(store::StoredKind kind, api::ObjectKey key, std::string finalizer);

  KubeContext& context_;
  informer::DependentIndex dependents_;
  reconcile::Loop loop_;
};

}  // namespace flotilla::controllers
