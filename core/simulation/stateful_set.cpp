// SPDX-License-Identifier: Apache-2.0
#include "core/api/names.hpp"
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {
namespace {

constexpr const char* kRevisionLabel = "controller-revision-hash";

ObjectKey pod_key(const api::Object& set, std::int64_t ordinal) {
  return {set.ns(), set.name() + "-" + std::to_string(ordinal)};
}

Json make_pod(const Json& set, const ObjectKey& key, const std::string& revision) {
  Json pod = pod_from_template(set, set["spec"]["template"], key.name);
  pod.make({"metadata", "labels", kRevisionLabel}) = revision;
  pod.make({"metadata", "labels", "statefulset.kubernetes.io/pod-name"}) = key.name;
  Json& spec = pod["spec"];
  spec.set("hostname", key.name);
  spec.set("subdomain", std::as_const(set)["spec"]["serviceName"]);
  for (const Json& claim : set["spec"]["volumeClaimTemplates"].elements()) {
    const std::string_view name = api::name_of(claim);
    spec["volumes"].push_back(Json::object(
        {{"name", name},
         {"persistentVolumeClaim", Json::object({{"claimName", std::string(name) + "-" + key.name}})}}));
  }
  return pod;
}

Task<Status> ensure_claims(World& world, ObjectPtr set, ObjectKey pod) {
  const auto content = set->content();
  for (const Json& claim : (*content)["spec"]["volumeClaimTemplates"].elements()) {
    Json made = claim;
    made.set("apiVersion", "v1");
    made.set("kind", "PersistentVolumeClaim");
    made.erase("status");
    made.make({"metadata", "name"}) = std::string(api::name_of(claim)) + "-" + pod.name;
    made.make({"metadata", "namespace"}) = pod.ns;
    auto ensuring = ensure(world, kinds::kVolumeClaim, std::move(made));
    const Status ensured = co_await std::move(ensuring);
    if (!ensured) co_return ensured.error();
  }
  co_return Status();
}

}  // namespace

// One step at a time, unless podManagementPolicy is Parallel: 1. from the lowest ordinal, make what is
// missing and wait until it is Ready. 2. From the highest, delete what is beyond replicas. 3. From the
// highest, replace pods of an old revision (not below updateStrategy.rollingUpdate.partition). 4. Status.
Task<Outcome> StatefulSetSimulator::reconcile(reconcile::Key key) {
  const ObjectPtr set = world_.get(kinds::kStatefulSet, key.object);
  if (!set || set->deleting()) co_return Outcome::done();
  const auto content = set->content();
  const Json& spec = (*content)["spec"];
  const std::int64_t replicas = spec["replicas"].as_int(1);
  const bool in_order = spec["podManagementPolicy"].as_string("OrderedReady") != "Parallel";
  const std::string revision = set->name() + "-" + api::name_hash(spec["template"].dump());

  PodCounts counts;
  std::int64_t updated = 0;
  bool waiting = false;
  for (std::int64_t ordinal = 0; ordinal < replicas && !(waiting && in_order); ++ordinal) {
    const ObjectKey pod = pod_key(*set, ordinal);
    const ObjectPtr present = world_.get(kinds::kPod, pod);
    if (!present) {
      auto claiming = ensure_claims(world_, set, pod);
      const Status claimed = co_await std::move(claiming);
      if (!claimed) co_return Outcome::retry(claimed.error());
      Json made = make_pod(*content, pod, revision);
      auto creating = ensure(world_, kinds::kPod, std::move(made));
      const Status created = co_await std::move(creating);
      if (!created) co_return Outcome::retry(created.error());
      waiting = true;
    } else if (present->deleting() || !is_ready(*present->content())) {
      waiting = true;
    }
  }
  for (const ObjectKey& owned : world_.pods_of.owned_by(set->uid())) {
    const ObjectPtr pod = world_.get(kinds::kPod, owned);
    if (!pod || pod->deleting()) continue;
    const std::int64_t ordinal = std::strtoll(owned.name.c_str() + set->name().size() + 1, nullptr, 10);
    if (ordinal >= replicas) {
      const bool highest = !world_.get(kinds::kPod, pod_key(*set, ordinal + 1));
      if (highest || !in_order) {
        auto deleting = delete_pod(world_, owned);
        const Status deleted = co_await std::move(deleting);
        if (!deleted) co_return Outcome::retry(deleted.error());
      }
      continue;
    }
    ++counts.total;
    if (is_ready(*pod->content())) ++counts.ready;
    const std::string* label = pod->labels().find(kRevisionLabel);
    if (label && *label == revision) ++updated;
  }
  const std::int64_t partition = spec["updateStrategy"]["rollingUpdate"]["partition"].as_int();
  if (!waiting && spec["updateStrategy"]["type"].as_string() != "OnDelete") {
    for (std::int64_t ordinal = replicas - 1; ordinal >= partition; --ordinal) {
      const ObjectPtr pod = world_.get(kinds::kPod, pod_key(*set, ordinal));
      if (!pod || pod->deleting()) break;
      const std::string* label = pod->labels().find(kRevisionLabel);
      if (label && *label == revision) continue;
      auto deleting = delete_pod(world_, pod->key());
      const Status deleted = co_await std::move(deleting);
      if (!deleted) co_return Outcome::retry(deleted.error());
      break;
    }
  }
  Json status = (*content)["status"];
  status.set("observedGeneration", set->generation());
  status.set("replicas", counts.total);
  status.set("readyReplicas", counts.ready);
  status.set("availableReplicas", counts.ready);
  status.set("updatedReplicas", updated);
  status.set("currentReplicas", updated == replicas ? updated : counts.total - updated);
  status.set("updateRevision", revision);
  if (updated == replicas || !status.contains("currentRevision")) status.set("currentRevision", revision);
  status.set("collisionCount", 0);
  auto writing = write_status(world_, kinds::kStatefulSet, key.object, std::move(status));
  co_return Outcome::of(co_await std::move(writing));
}

}  // namespace flotilla::simulation
