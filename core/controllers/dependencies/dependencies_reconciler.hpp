// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "core/controllers/attached_bindings.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/dependencies/referrers.hpp"
#include "core/controllers/reinterpretation.hpp"
#include "core/controllers/served_kinds.hpp"
#include "core/controllers/templates.hpp"

namespace flotilla::controllers {

// Root: ResourceBinding with spec.propagateDeps. Wakes on: its generation or deletion; any change of an
// object that it depends on; how dependencies of its kind are found. Reads: template, what it depends on,
// bindings of that. Writes: the annotation resourcebinding.karmada.io/dependencies; bindings attached to it
// (labels, spec.requiredBy and what follows from it). Holds: what a template depends on goes where the
// template goes, and what it no longer depends on does not stay there for its sake. Ends: attached bindings
// are let go, then the finalizer karmada.io/binding-dependencies-distributor goes.
class DependenciesReconciler final : public LoopController {
 public:
  explicit DependenciesReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_binding(const Event& event);
  void on_any(const Event& event);

  Task<Outcome> let_go(ObjectKey key, ObjectPtr binding);
  Task<Status> distribute(ObjectPtr binding, std::vector<Dependency> dependencies, bool& changed);
  // True: it was written.
  Task<Result<bool>> record(ObjectKey binding, std::string text);
  Task<Status> detach_orphans(ObjectKey independent, std::vector<Dependency> dependencies, bool& changed);
  Task<Status> attach_all(std::shared_ptr<const Json> independent, Dependency dependency, bool& changed);
  Task<Status> attach_one(std::shared_ptr<const Json> independent, ObjectPtr object, bool& changed);
  Task<Status> detach_one(ObjectKey independent, ObjectKey attached, bool& changed);
  bool is_meant(const Json& attached, const std::vector<Dependency>& dependencies) const;
  void tell_conflict(const api::Object& attached, const std::string& conflict);

  AttachedBindings attached_;
  // On the informers' strand.
  Referrers referrers_;
  ServedKinds kinds_;
  Reinterpretation reinterpretation_;
};

}  // namespace flotilla::controllers
