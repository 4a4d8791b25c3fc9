// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {
namespace {

constexpr const char* kHashLabel = "pod-template-hash";
constexpr const char* kRevision = "deployment.kubernetes.io/revision";

struct OwnedSet {
  ObjectPtr object;
  std::int64_t wanted = 0;   // spec.replicas
  std::int64_t present = 0;  // status.replicas
  std::int64_t ready = 0;
  std::int64_t available = 0;
  std::int64_t revision = 0;
};

OwnedSet read(const ObjectPtr& object) {
  const auto content = object->content();
  const Json& status = (*content)["status"];
  OwnedSet set{object,
               (*content)["spec"]["replicas"].as_int(1),
               status["replicas"].as_int(),
               status["readyReplicas"].as_int(),
               status["availableReplicas"].as_int(),
               0};
  // A status lags behind a scale-down: what is to go no longer counts as available.
  set.available = std::min(set.available, set.wanted);
  const std::string revision(api::annotation_of(*content, kRevision));
  if (!revision.empty()) set.revision = std::strtoll(revision.c_str(), nullptr, 10);
  return set;
}

// "25%" of `total` or a number; surge rounds up, unavailable rounds down.
std::int64_t resolve(const Json& value, std::int64_t total, bool up) {
  if (value.is_null()) return resolve(Json("25%"), total, up);
  if (!value.is_string()) return value.as_int();
  const std::string text(value.as_string());
  const std::int64_t percent = std::strtoll(text.c_str(), nullptr, 10);
  return up ? (total * percent + 99) / 100 : total * percent / 100;
}

struct Rollout {
  std::int64_t fresh = 0;                                 // replicas of the set of today's template
  std::vector<std::pair<std::string, std::int64_t>> old;  // name, replicas
};

// How many replicas each set should have next, given what is there now (the rolling update of Deployments: at
// most `surge` above, at most `unavailable` below the wanted number).
Rollout plan(const Json& spec, const OwnedSet& fresh, const std::vector<OwnedSet>& old) {
  const std::int64_t desired = spec["replicas"].as_int(1);
  Rollout next{fresh.wanted, {}};
  std::int64_t total = fresh.wanted;
  std::int64_t old_present = 0;
  std::int64_t available = fresh.available;
  for (const OwnedSet& set : old) {
    total += set.wanted;
    old_present += set.present;
    available += set.available;
  }
  if (spec["strategy"]["type"].as_string() == "Recreate") {
    for (const OwnedSet& set : old) next.old.emplace_back(set.object->name(), 0);
    if (old_present == 0) next.fresh = desired;
    return next;
  }
  const Json& rolling = spec["strategy"]["rollingUpdate"];
  std::int64_t surge = resolve(rolling["maxSurge"], desired, true);
  const std::int64_t unavailable = resolve(rolling["maxUnavailable"], desired, false);
  if (surge == 0 && unavailable == 0) surge = 1;
  if (fresh.wanted >= desired) {
    next.fresh = desired;
  } else {
    const std::int64_t room = std::max<std::int64_t>(0, desired + surge - total);
    next.fresh = std::min(desired, fresh.wanted + room);
  }
  std::int64_t spare = std::max<std::int64_t>(0, available - (desired - unavailable));
  for (const OwnedSet& set : old) {
    // Unhealthy replicas of old sets go first and cost nothing.
    const std::int64_t unhealthy = std::max<std::int64_t>(0, set.wanted - set.available);
    const std::int64_t healthy_cut = std::min(spare, set.wanted - unhealthy);
    spare -= healthy_cut;
    next.old.emplace_back(set.object->name(), set.wanted - unhealthy - healthy_cut);
  }
  return next;
}

Json fresh_set(const Json& deployment, const std::string& name, const std::string& hash,
               std::int64_t revision) {
  const Json& spec = deployment["spec"];
  Json pod_template = spec["template"];
  pod_template.make({"metadata", "labels", kHashLabel}) = hash;
  Json selector = spec["selector"];
  selector.make({"matchLabels", kHashLabel}) = hash;
  Json set_spec =
      Json::object({{"replicas", 0}, {"selector", std::move(selector)}, {"template", pod_template}});
  if (const Json* seconds = spec.find("minReadySeconds")) set_spec.set("minReadySeconds", *seconds);
  return Json::object(
      {{"apiVersion", "apps/v1"},
       {"kind", "ReplicaSet"},
       {"metadata", Json::object({{"name", name},
                                  {"namespace", api::namespace_of(deployment)},
                                  {"labels", pod_template["metadata"]["labels"]},
                                  {"annotations", Json::object({{kRevision, std::to_string(revision)}})},
                                  {"ownerReferences", Json::array({owner_reference(deployment)})}})},
       {"spec", std::move(set_spec)},
       {"status", Json::object({{"replicas", 0}})}});
}

Json status_of(const Json& deployment, std::int64_t generation, const OwnedSet& fresh,
               const std::vector<OwnedSet>& old, WallTime now) {
  const std::int64_t desired = deployment["spec"]["replicas"].as_int(1);
  OwnedSet sum = fresh;
  for (const OwnedSet& set : old) {
    sum.present += set.present;
    sum.ready += set.ready;
    sum.available += set.available;
  }
  Json status = deployment["status"];
  if (!status.is_object()) status = Json::object();
  const auto put = [&](const char* field, std::int64_t value) {
    if (value != 0) {
      status.set(field, value);
    } else {
      status.erase(field);
    }
  };
  status.set("observedGeneration", generation);
  put("replicas", sum.present);
  put("updatedReplicas", fresh.present);
  put("readyReplicas", sum.ready);
  put("availableReplicas", sum.available);
  put("unavailableReplicas", std::max<std::int64_t>(0, desired - sum.available));
  const std::int64_t unavailable =
      resolve(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], desired, false);
  const bool enough = sum.available >= desired - unavailable;
  Json& conditions = status["conditions"];
  api::set_condition(
      conditions,
      {"Available", enough ? "True" : "False",
       enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
       enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability."},
      now);
  const bool complete = fresh.present == desired && sum.present == desired && sum.available == desired;
  const std::string subject = "ReplicaSet \"" + fresh.object->name() + "\" ";
  api::set_condition(conditions,
                     {"Progressing", "True", complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
                      subject + (complete ? "has successfully progressed." : "is progressing.")},
                     now);
  const std::string stamp = format_time(now);
  for (Json& condition : conditions.elements()) {
    if (!condition.contains("lastUpdateTime")) condition.set("lastUpdateTime", stamp);
  }
  return status;
}

Task<Status> scale(World& world, ObjectPtr set, std::int64_t replicas) {
  auto scaling = world.writer.modify(kinds::kReplicaSet, store::Part::Main, set->key(),
                                     [replicas](Json& object) -> Result<bool> {
                                       if (std::as_const(object)["spec"]["replicas"].as_int(1) == replicas)
                                         return false;
                                       object.make({"spec", "replicas"}) = replicas;
                                       return true;
                                     });
  const auto scaled = co_await std::move(scaling);
  if (!scaled && !scaled.error().is(Code::NotFound)) co_return scaled.error();
  co_return Status();
}

// Gives set and deployment the same, newest revision (a rollback reuses an old set).
// The deployment's goes with its status, as Kubernetes' controller does it: so it counts as no change of
// spec.
Task<Status> stamp_revision(World& world, store::StoredKind kind, ObjectKey key, std::int64_t revision) {
  const auto part = kind.gvk.kind == "Deployment" ? store::Part::Status : store::Part::Main;
  const std::string text = std::to_string(revision);
  auto stamping = world.writer.modify(kind, part, key, [text](Json& object) -> Result<bool> {
    if (api::annotation_of(object, kRevision) == text) return false;
    object.make({"metadata", "annotations", kRevision}) = text;
    return true;
  });
  const auto stamped = co_await std::move(stamping);
  if (!stamped && !stamped.error().is(Code::NotFound)) co_return stamped.error();
  co_return Status();
}

}  // namespace

// 1. Find the set of today's template, make it if there is none. 2. Give it the newest revision. 3. Scale
// sets by plan().
// 4. Forget old empty sets beyond revisionHistoryLimit. 5. Status.
Task<Outcome> DeploymentSimulator::reconcile(reconcile::Key key) {
  const ObjectPtr deployment = world_.get(kinds::kDeployment, key.object);
  if (!deployment || deployment->deleting()) co_return Outcome::done();
  const auto content = deployment->content();
  const std::string hash = api::name_hash((*content)["spec"]["template"].dump());
  const std::string fresh_name = deployment->name() + "-" + hash;

  std::optional<OwnedSet> fresh;
  std::vector<OwnedSet> old;
  std::int64_t newest = 0;
  for (const ObjectKey& owned : world_.replica_sets_of.owned_by(deployment->uid())) {
    const ObjectPtr object = world_.get(kinds::kReplicaSet, owned);
    if (!object || object->deleting()) continue;
    OwnedSet set = read(object);
    newest = std::max(newest, set.revision);
    if (owned.name == fresh_name) {
      fresh = std::move(set);
    } else {
      old.push_back(std::move(set));
    }
  }
  std::sort(old.begin(), old.end(),
            [](const OwnedSet& a, const OwnedSet& b) { return a.revision < b.revision; });
  if (!fresh) {
    // The index may not know it yet.
    if (const ObjectPtr made = world_.get(kinds::kReplicaSet, {key.object.ns, fresh_name}))
      fresh = read(made);
  }
  if (!fresh) {
    Json made = fresh_set(*content, fresh_name, hash, newest + 1);
    store::WriteOptions options;
    options.with_status = true;
    auto creating = world_.writer.create(kinds::kReplicaSet, std::move(made), options);
    const auto created = co_await std::move(creating);
    if (!created) co_return Outcome::retry(created.error());
    fresh = read(*created);
    newest = fresh->revision;
  }
  const std::int64_t revision =
      old.empty() || fresh->revision == newest ? std::max<std::int64_t>(1, fresh->revision) : newest + 1;
  for (const auto& [kind, target] :
       {std::pair{&kinds::kReplicaSet, fresh->object->key()}, std::pair{&kinds::kDeployment, key.object}}) {
    auto stamping = stamp_revision(world_, *kind, target, revision);
    const Status stamped = co_await std::move(stamping);
    if (!stamped) co_return Outcome::retry(stamped.error());
  }

  if (!(*content)["spec"]["paused"].as_bool()) {
    const Rollout next = plan((*content)["spec"], *fresh, old);
    auto scaling = scale(world_, fresh->object, next.fresh);
    const Status scaled = co_await std::move(scaling);
    if (!scaled) co_return Outcome::retry(scaled.error());
    for (std::size_t i = 0; i < old.size(); ++i) {
      auto shrinking = scale(world_, old[i].object, next.old[i].second);
      const Status shrunk = co_await std::move(shrinking);
      if (!shrunk) co_return Outcome::retry(shrunk.error());
    }
  }
  const std::int64_t keep = (*content)["spec"]["revisionHistoryLimit"].as_int(10);
  std::int64_t surplus = static_cast<std::int64_t>(old.size()) - keep;
  for (const OwnedSet& set : old) {
    if (surplus <= 0) break;
    if (set.wanted != 0 || set.present != 0) continue;
    auto removing = world_.writer.remove(kinds::kReplicaSet, set.object->key());
    const auto removed = co_await std::move(removing);
    if (removed) --surplus;
  }
  Json status = status_of(*content, deployment->generation(), *fresh, old, world_.now());
  auto writing = write_status(world_, kinds::kDeployment, key.object, std::move(status));
  co_return Outcome::of(co_await std::move(writing));
}

}  // namespace flotilla::simulation
