// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "core/api/names.hpp"
#include "core/simulation/simulators.hpp"

namespace flotilla::simulation {

// 1. One pod for each node that the template may run on. 2. Delete pods elsewhere and one of an old template
// at a time.
// 3. Count.
Task<Outcome> DaemonSetSimulator::reconcile(reconcile::Key key) {
  const ObjectPtr set = world_.get(kinds::kDaemonSet, key.object);
  if (!set || set->deleting()) co_return Outcome::done();
  const auto content = set->content();
  const Json& pod_template = (*content)["spec"]["template"];
  const std::string revision = api::name_hash(pod_template.dump());
  const std::vector<std::string> nodes = nodes_.eligible(pod_template["spec"]);

  std::set<ObjectKey> wanted;
  PodCounts counts;
  std::int64_t updated = 0;
  bool replacing = false;
  for (const std::string& node : nodes) {
    const ObjectKey pod_key{set->ns(), set->name() + suffix(world_, set->uid() + "/" + node)};
    wanted.insert(pod_key);
    const ObjectPtr pod = world_.get(kinds::kPod, pod_key);
    if (!pod) {
      Json made = pod_from_template(*content, pod_template, pod_key.name);
      made.make({"metadata", "labels", "controller-revision-hash"}) = revision;
      made.make({"spec", "nodeName"}) = node;
      auto creating = ensure(world_, kinds::kPod, std::move(made));
      const Status created = co_await std::move(creating);
      if (!created) co_return Outcome::retry(created.error());
      ++counts.total;
      ++updated;
      continue;
    }
    if (pod->deleting()) {
      replacing = true;
      continue;
    }
    ++counts.total;
    if (is_ready(*pod->content())) ++counts.ready;
    const std::string* label = pod->labels().find("controller-revision-hash");
    if (label && *label == revision) {
      ++updated;
    } else if (!replacing && (*content)["spec"]["updateStrategy"]["type"].as_string() != "OnDelete") {
      replacing = true;
      auto deleting = delete_pod(world_, pod_key);
      const Status deleted = co_await std::move(deleting);
      if (!deleted) co_return Outcome::retry(deleted.error());
    }
  }
  std::int64_t misscheduled = 0;
  for (const ObjectKey& owned : world_.pods_of.owned_by(set->uid())) {
    const ObjectPtr pod = world_.get(kinds::kPod, owned);
    if (wanted.contains(owned) || !pod || pod->deleting()) continue;
    ++misscheduled;
    auto deleting = delete_pod(world_, owned);
    const Status deleted = co_await std::move(deleting);
    if (!deleted) co_return Outcome::retry(deleted.error());
  }
  const auto desired = static_cast<std::int64_t>(nodes.size());
  Json status = (*content)["status"];
  status.set("observedGeneration", set->generation());
  status.set("desiredNumberScheduled", desired);
  status.set("currentNumberScheduled", counts.total);
  status.set("updatedNumberScheduled", updated);
  status.set("numberReady", counts.ready);
  status.set("numberAvailable", counts.ready);
  status.set("numberMisscheduled", misscheduled);
  if (desired > counts.ready) {
    status.set("numberUnavailable", desired - counts.ready);
  } else {
    status.erase("numberUnavailable");
  }
  auto writing = write_status(world_, kinds::kDaemonSet, key.object, std::move(status));
  co_return Outcome::of(co_await std::move(writing));
}

}  // namespace flotilla::simulation
