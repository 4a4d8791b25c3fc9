// SPDX-License-Identifier: Apache-2.0
#include "core/simulation/simulation.hpp"

#include <algorithm>
#include <vector>

#include "core/simulation/pod_lifecycle.hpp"
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {

using reconcile::Key;
using reconcile::Loop;
using store::Event;

struct Simulation::State {
  State(const Executor& executor, store::Writer& writer, informer::Informers& informers, Settings given)
      : settings(std::move(given)),
        events(executor, writer, "simulation"),
        pods_of(informers, kinds::kPod.collection()),
        replica_sets_of(informers, kinds::kReplicaSet.collection()),
        jobs_of(informers, kinds::kJob.collection()),
        world{writer.store(), writer, writer.clock(), settings, events, pods_of, replica_sets_of, jobs_of},
        pods(world, nodes,
             [this](const ObjectKey& pod) {
               pod_loop.enqueue({kinds::kPod.collection(), pod});
             }),
        deployments(world),
        replica_sets(world),
        stateful_sets(world),
        daemon_sets(world, nodes),
        jobs(world),
        cron_jobs(world),
        services(world),
        claims(world),
        pod_loop(executor, "simulation/pods", pods, fast()),
        deployment_loop(executor, "simulation/deployments", deployments, fast()),
        replica_set_loop(executor, "simulation/replicasets", replica_sets, fast()),
        stateful_set_loop(executor, "simulation/statefulsets", stateful_sets, fast()),
        daemon_set_loop(executor, "simulation/daemonsets", daemon_sets, fast()),
        job_loop(executor, "simulation/jobs", jobs, fast()),
        cron_job_loop(executor, "simulation/cronjobs", cron_jobs, fast()),
        service_loop(executor, "simulation/services", services, fast()),
        claim_loop(executor, "simulation/volumeclaims", claims, fast()) {
    wire(informers);
  }

  static reconcile::LoopOptions fast() { return {.workers = 2, .max_delay = std::chrono::seconds(5)}; }

  std::vector<Loop*> loops() {
    return {&pod_loop, &deployment_loop, &replica_set_loop, &stateful_set_loop, &daemon_set_loop,
            &job_loop, &cron_job_loop,   &service_loop,     &claim_loop};
  }

  void wire(informer::Informers& informers) {
    const std::pair<const store::StoredKind*, Loop*> roots[] = {
        {&kinds::kDeployment, &deployment_loop},
        {&kinds::kReplicaSet, &replica_set_loop},
        {&kinds::kReplicationController, &replica_set_loop},
        {&kinds::kStatefulSet, &stateful_set_loop},
        {&kinds::kDaemonSet, &daemon_set_loop},
        {&kinds::kJob, &job_loop},
        {&kinds::kCronJob, &cron_job_loop},
        {&kinds::kService, &service_loop},
        {&kinds::kVolumeClaim, &claim_loop},
        {&kinds::kPod, &pod_loop}};
    for (const auto& [kind, loop] : roots) {
      informers.on(kind->collection(), [loop = loop](const Event& event) {
        loop->enqueue({event.collection, event.object->key()});
      });
    }
    informers.on(kinds::kPod.collection(), [this](const Event& event) { on_pod(event); });
    for (const store::StoredKind* kind : {&kinds::kReplicaSet, &kinds::kJob}) {
      informers.on(kind->collection(), [this](const Event& event) { wake_owners(*event.object); });
    }
    informers.on(kinds::kNode.collection(), [this](const Event& event) { on_node(event); });
  }

  // Owners by kind and name: ownerReferences name what is in the same namespace.
  void wake_owners(const api::Object& object) {
    if (object.owner_uids().empty()) return;
    const auto content = object.content();
    for (const Json& owner : (*content)["metadata"]["ownerReferences"].elements()) {
      const ObjectKey key{object.ns(), std::string(owner["name"].as_string())};
      const std::string_view kind = owner["kind"].as_string();
      const auto wake = [&](const store::StoredKind& root, Loop& loop) {
        if (root.gvk.kind == kind) loop.enqueue({root.collection(), key});
      };
      wake(kinds::kDeployment, deployment_loop);
      wake(kinds::kReplicaSet, replica_set_loop);
      wake(kinds::kReplicationController, replica_set_loop);
      wake(kinds::kStatefulSet, stateful_set_loop);
      wake(kinds::kDaemonSet, daemon_set_loop);
      wake(kinds::kJob, job_loop);
      wake(kinds::kCronJob, cron_job_loop);
    }
  }

  void on_pod(const Event& event) {
    wake_owners(*event.object);
    for (const ObjectPtr& service :
         world.store.list(kinds::kService.collection(), event.object->ns()).objects) {
      service_loop.enqueue({kinds::kService.collection(), service->key()});
    }
  }

  void on_node(const Event& event) {
    if (event.type == Event::Type::Deleted) {
      nodes.remove(event.object->name());
    } else {
      nodes.update(*event.object->content());
    }
    for (const ObjectPtr& set : world.store.list(kinds::kDaemonSet.collection()).objects) {
      daemon_set_loop.enqueue({kinds::kDaemonSet.collection(), set->key()});
    }
    for (const ObjectPtr& pod : world.store.list(kinds::kPod.collection()).objects) {
      pod_loop.enqueue({kinds::kPod.collection(), pod->key()}, reconcile::kBackground);
    }
  }

  Settings settings;
  reconcile::EventRecorder events;
  informer::OwnerIndex pods_of, replica_sets_of, jobs_of;
  World world;
  NodePool nodes;
  PodLifecycle pods;
  DeploymentSimulator deployments;
  ReplicaSetSimulator replica_sets;
  StatefulSetSimulator stateful_sets;
  DaemonSetSimulator daemon_sets;
  JobSimulator jobs;
  CronJobSimulator cron_jobs;
  ServiceSimulator services;
  VolumeClaimSimulator claims;
  Loop pod_loop, deployment_loop, replica_set_loop, stateful_set_loop, daemon_set_loop, job_loop,
      cron_job_loop, service_loop, claim_loop;
};

Simulation::Simulation(const Executor& executor, store::Writer& writer, informer::Informers& informers,
                       Settings settings)
    : state_(std::make_unique<State>(executor, writer, informers, std::move(settings))) {}

Simulation::~Simulation() {
  stop();
}

Task<Status> Simulation::prepare() {
  State& state = *state_;
  for (int i = 0; i < state.settings.nodes; ++i) {
    Json node = make_node(state.settings, i, state.world.now());
    auto ensuring = ensure(state.world, kinds::kNode, std::move(node));
    const Status ensured = co_await std::move(ensuring);
    if (!ensured) co_return ensured.error();
  }
  co_return Status();
}

void Simulation::start() {
  state_->events.start();
  for (Loop* loop : state_->loops()) loop->start();
}

void Simulation::stop() {
  for (Loop* loop : state_->loops()) loop->stop();
  state_->events.stop();
}

bool Simulation::idle() const {
  const auto loops = state_->loops();
  return std::all_of(loops.begin(), loops.end(), [](const Loop* loop) { return loop->idle(); });
}

}  // namespace flotilla::simulation
