// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "core/controllers/kube/kube_controllers.hpp"
#include "core/reconcile/loop.hpp"

namespace flotilla::controllers {

// Root: Namespace. Wakes on: a namespace that is being deleted; an object in it that went. Reads: everything
// in it. Writes: deletes its content, its conditions, spec.finalizers. Holds: a namespace goes only when
// nothing is left in it; rights go last. Ends: the finalizer "kubernetes" goes, and with it the namespace.
class NamespaceReconciler final : public reconcile::Reconciler {
 public:
  explicit NamespaceReconciler(KubeContext& context);
  Task<reconcile::Outcome> reconcile(reconcile::Key key) override;
  reconcile::Loop& loop() { return loop_; }

 private:
  struct Content {
    std::map<std::string, int> by_resource;  // "pods." -> how many are left
    std::map<std::string, int> by_finalizer;
  };
  Task<Result<Content>> empty(std::string ns);
  Task<Status> empty_of(std::string ns, bool rights, Content* into);
  Task<Status> report(std::string ns, Content left);

  KubeContext& context_;
  reconcile::Loop loop_;
};

}  // namespace flotilla::controllers
