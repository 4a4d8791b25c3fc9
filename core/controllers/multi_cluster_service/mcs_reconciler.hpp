// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "core/controllers/controller.hpp"
#include "core/controllers/slice_keeping.hpp"

namespace flotilla::controllers {

// Works by the MultiClusterService they belong to.
class ServiceWorkIndex {
 public:
  explicit ServiceWorkIndex(informer::Informers& informers);
  std::vector<ObjectPtr> of(const Context& context, const ObjectKey& mcs) const;

 private:
  informer::LabelIndex by_name_;
};
// The MultiClusterService that a Work belongs to; nullopt: none.
std::optional<ObjectKey> service_of_work(const api::Object& work);
std::set<std::string> all_clusters(const Context& context);

// Root: MultiClusterService of type CrossCluster, with the gate. Wakes on: it, the Service of its name,
// clusters. Reads: clusters. Writes: a marker Work per provider, the Service's claim, its binding, condition
// ServiceApplied. Holds: providers that are not ready are not collected from. Ends: claims, markers and
// records are gone, then the finalizer karmada.io/multiclusterservice-controller; Service and binding stay.
class MultiClusterServiceReconciler final : public LoopController {
 public:
  MultiClusterServiceReconciler(Context& context, const ServiceWorkIndex& works);
  Task<Outcome> reconcile(Key key) override;

 private:
  using Mcs = std::shared_ptr<const Json>;
  void on_service(const Event& event);
  void on_cluster(const Event& event);
  Task<Status> bring_about(Mcs mcs);
  Task<Status> mark_providers(Mcs mcs, std::set<std::string> providers);
  // Of clusters that are not providers, or not ready.
  Task<Status> unmark(ObjectKey mcs, std::set<std::string> providers);
  Task<Status> propagate_service(Mcs mcs, std::set<std::string> clusters);
  Task<Status> release(ObjectKey mcs);
  Task<Status> let_go(Mcs mcs);
  Task<Status> set_finalizer(ObjectKey mcs, bool wanted);
  Task<Status> say(ObjectKey mcs, Status outcome);

  const ServiceWorkIndex& works_;
};

// Root: the marker Work of a provider. Wakes on: it, and the slices of its member. Reads: these. Writes: a
// suspended Work per slice. Holds: what is not known (cache not synced) is not taken for gone. Ends: with the
// MultiClusterService, whose reconciler lets the records go.
class SliceCollectReconciler final : public LoopController {
 public:
  SliceCollectReconciler(Context& context, const ServiceWorkIndex& works);
  Task<Outcome> reconcile(Key key) override;

 private:
  Task<Outcome> collect(ObjectPtr marker);
  Task<Outcome> follow_slice(std::string cluster, ObjectKey slice);

  const ServiceWorkIndex& works_;
};

// Root: the Work that records a slice of a provider. Wakes on: it, its MultiClusterService, clusters. Writes:
// a Work per consumer with the slice renamed, condition EndpointSliceDispatched. Ends: the record goes, then
// what was dispatched, then the finalizer karmada.io/mcs-endpointslice-dispatch-controller.
class SliceDispatchReconciler final : public LoopController {
 public:
  SliceDispatchReconciler(Context& context, const ServiceWorkIndex& works);
  Task<Outcome> reconcile(Key key) override;

 private:
  void wake_records(const ObjectKey& mcs);
  Task<Status> dispatch(ObjectPtr record, std::shared_ptr<const Json> mcs);
  Task<Status> withdraw(ObjectPtr record);

  const ServiceWorkIndex& works_;
};

}  // namespace flotilla::controllers
