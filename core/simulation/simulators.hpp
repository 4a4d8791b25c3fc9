// SPDX-License-Identifier: Apache-2.0
// One reconciler per kind of workload. Each answers: the root kind is its name; it wakes on changes of its
// root and of what the root owns; it reads the store, writes its children and its status; deletion of
// children is the garbage collector's work.
//
// Children have names that are a function of seed, owner and ordinal, so that making one twice is harmless
// and a run can be repeated.
#pragma once

#include "core/simulation/nodes.hpp"
#include "core/simulation/world.hpp"

namespace flotilla::simulation {

class DeploymentSimulator final : public reconcile::Reconciler {
 public:
  explicit DeploymentSimulator(World& world) : world_(world) {}
  Task<Outcome> reconcile(reconcile::Key key) override;

 private:
  World& world_;
};

// ReplicaSet and ReplicationController: the key's collection says which.
class ReplicaSetSimulator final : public reconcile::Reconciler {
 public:
  explicit ReplicaSetSimulator(World& world) : world_(world) {}
  Task<Outcome> reconcile(reconcile::Key key) override;

 private:
  World& world_;
};

class StatefulSetSimulator final : public reconcile::Reconciler {
 public:
  explicit StatefulSetSimulator(World& world) : world_(world) {}
  Task<Outcome> reconcile(reconcile::Key key) override;

 private:
  World& world_;
};

class DaemonSetSimulator final : public reconcile::Reconciler {
 public:
  DaemonSetSimulator(World& world, const NodePool& nodes) : world_(world), nodes_(nodes) {}
  Task<Outcome> reconcile(reconcile::Key key) override;

 private:
  World& world_;
  const NodePool& nodes_;
};

// On the pods of jobs, until the job has counted them.
inline constexpr std::string_view kJobTracking = "batch.kubernetes.io/job-tracking";

class JobSimulator final : public reconcile::Reconciler {
 public:
  explicit JobSimulator(World& world) : world_(world) {}
  Task<Outcome> reconcile(reconcile::Key key) override;

 private:
  World& world_;
};

class CronJobSimulator final : public reconcile::Reconciler {
 public:
  explicit CronJobSimulator(World& world) : world_(world) {}
  Task<Outcome> reconcile(reconcile::Key key) override;

 private:
  World& world_;
};

// Service -> Endpoints, EndpointSlice, load balancer address.
class ServiceSimulator final : public reconcile::Reconciler {
 public:
  explicit ServiceSimulator(World& world) : world_(world) {}
  Task<Outcome> reconcile(reconcile::Key key) override;

 private:
  World& world_;
};

// PersistentVolumeClaim -> PersistentVolume, both Bound.
class VolumeClaimSimulator final : public reconcile::Reconciler {
 public:
  explicit VolumeClaimSimulator(World& world) : world_(world) {}
  Task<Outcome> reconcile(reconcile::Key key) override;

 private:
  World& world_;
};

}  // namespace flotilla::simulation
