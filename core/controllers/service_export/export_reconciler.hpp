// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "core/controllers/controller.hpp"
#include "core/controllers/slice_keeping.hpp"

namespace flotilla::controllers {

// Root: a ServiceExport in a member. Wakes on: applied Works that carry one there, which begin the watching
// of that member; the member's ServiceExports and slices. Writes: a suspended Work per slice of an exported
// service. Holds: what is not known is not taken for gone. Ends: the ServiceExport goes, then the records.
class ServiceExportReconciler final : public LoopController {
 public:
  explicit ServiceExportReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  Task<Outcome> begin(ObjectPtr work);
  void look_after_records(const std::string& cluster);
  Task<Outcome> follow_export(std::string cluster, ObjectKey service);
  Task<Outcome> follow_slice(std::string cluster, ObjectKey slice);
  std::vector<ObjectKey> records(const std::string& cluster, const ObjectKey& service) const;

  informer::LabelIndex by_service_;
  std::set<std::string> looked_after_;  // clusters; on the loop's strand
};

// Root: the Work that records a slice for a ServiceExport. Wakes on: it. Writes: the slice
// imported-CLUSTER-SLICE of the control plane, for the derived service. Ends: the record goes or is released,
// then the slice, then the finalizer karmada.io/endpointslice-controller.
class EndpointSliceReconciler final : public LoopController {
 public:
  explicit EndpointSliceReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  Task<Status> import(ObjectPtr work);
  Task<Status> withdraw(ObjectPtr work);

  informer::LabelIndex by_work_;
};

// Root: ServiceImport. Wakes on: it. Writes: the Service derived-NAME, its load balancer addresses. Ends: the
// import is gone, then the Service goes.
class ServiceImportReconciler final : public LoopController {
 public:
  explicit ServiceImportReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  Task<Status> derive(std::shared_ptr<const Json> import);
};

}  // namespace flotilla::controllers
