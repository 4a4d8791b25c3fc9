// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "core/api/conditions.hpp"
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {
namespace {

const store::StoredKind& kind_of(const reconcile::Key& key) {
  return key.collection == kinds::kReplicaSet.collection() ? kinds::kReplicaSet
                                                           : kinds::kReplicationController;
}

}  // namespace

// 1. Make the pods of ordinals 0..replicas-1 that are missing or failed. 2. Delete all other pods it owns. 3.
// Count.
Task<Outcome> ReplicaSetSimulator::reconcile(reconcile::Key key) {
  const store::StoredKind& kind = kind_of(key);
  const ObjectPtr set = world_.get(kind, key.object);
  if (!set || set->deleting()) co_return Outcome::done();
  const auto content = set->content();
  const std::int64_t replicas = (*content)["spec"]["replicas"].as_int(1);

  std::set<ObjectKey> wanted;
  PodCounts counts;
  for (std::int64_t ordinal = 0; ordinal < replicas; ++ordinal) {
    const std::string name = set->name() + suffix(world_, set->uid() + "/" + std::to_string(ordinal));
    const ObjectKey pod_key{set->ns(), name};
    wanted.insert(pod_key);
    const ObjectPtr pod = world_.get(kinds::kPod, pod_key);
    if (!pod) {
      Json made = pod_from_template(*content, (*content)["spec"]["template"], name);
      auto creating = ensure(world_, kinds::kPod, std::move(made));
      const Status created = co_await std::move(creating);
      if (!created) co_return Outcome::retry(created.error());
      ++counts.total;
      continue;
    }
    if (pod->deleting()) continue;
    const auto pod_content = pod->content();
    if (phase_of(*pod_content) == "Failed") {
      auto deleting = delete_pod(world_, pod_key);
      const Status deleted = co_await std::move(deleting);
      if (!deleted) co_return Outcome::retry(deleted.error());
      continue;
    }
    ++counts.total;
    if (is_ready(*pod_content)) ++counts.ready;
  }
  for (const ObjectKey& pod_key : world_.pods_of.owned_by(set->uid())) {
    if (wanted.contains(pod_key)) continue;
    const ObjectPtr pod = world_.get(kinds::kPod, pod_key);
    if (!pod || pod->deleting()) continue;
    auto deleting = delete_pod(world_, pod_key);
    const Status deleted = co_await std::move(deleting);
    if (!deleted) co_return Outcome::retry(deleted.error());
  }
  Json status = (*content)["status"];
  status.set("replicas", counts.total);
  status.set("fullyLabeledReplicas", counts.total);
  status.set("observedGeneration", set->generation());
  for (const char* field : {"readyReplicas", "availableReplicas"}) {
    if (counts.ready > 0) {
      status.set(field, counts.ready);
    } else {
      status.erase(field);
    }
  }
  auto writing = write_status(world_, kind, key.object, std::move(status));
  co_return Outcome::of(co_await std::move(writing));
}

}  // namespace flotilla::simulation
