// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cluster_status/cluster_status_reconciler.hpp"

#include <algorithm>
#include <optional>

#include "core/api/conditions.hpp"
#include "core/api/quantity.hpp"
#include "core/async/attended.hpp"
#include "core/cluster/endpoint.hpp"
#include "core/controllers/agency.hpp"
#include "core/controllers/cluster_status/resource_summary.hpp"
#include "core/controllers/trimmed.hpp"

namespace flotilla::controllers {
namespace {

// How long the first list of nodes and pods may hold up the rest of the status.
constexpr Duration kFirstList = std::chrono::seconds(5);
// Clusters that hang keep a worker each for as long as a probe may take.
constexpr int kWorkers = 128;

// How long a cluster has to say that it is well.
Duration patience_of(const Options& options) {
  return std::clamp<Duration>(options.cluster_status_update_frequency, std::chrono::seconds(3),
                              std::chrono::seconds(5));
}

Task<void> probe_into(std::shared_ptr<cluster::Member> member, cluster::ProbeResult& probe) {
  auto probing = member->connection().probe();
  probe = co_await std::move(probing);
}

using Discovered = Result<std::shared_ptr<const cluster::Discovery>>;

Task<void> discover_into(std::shared_ptr<cluster::Member> member, std::optional<Discovered>& discovered) {
  auto discovering = member->discover();
  discovered = co_await std::move(discovering);
}

}  // namespace

ClusterStatusReconciler::ClusterStatusReconciler(Context& context)
    : LoopController(context, "cluster-status", {.workers = kWorkers}),
      smoother_(context.options.cluster_success_threshold, context.options.cluster_failure_threshold) {
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
  context.informers.on(kinds::kSecret.collection(), [this](const Event& event) { on_secret(event); });
}

// Its own status writes do not wake it: only spec, finalizers and existence do.
void ClusterStatusReconciler::on_cluster(const Event& event) {
  if (event.previous && event.type == Event::Type::Modified) {
    const auto before = event.previous->content();
    const auto after = event.object->content();
    const Json& old_meta = (*before)["metadata"];
    const Json& new_meta = (*after)["metadata"];
    if (event.previous->generation() == event.object->generation() &&
        old_meta["finalizers"] == new_meta["finalizers"] &&
        old_meta["annotations"] == new_meta["annotations"]) {
      return;
    }
  }
  enqueue(event);
}

void ClusterStatusReconciler::on_secret(const Event& event) {
  for (const ObjectPtr& cluster : context_.store.list(kinds::kCluster.collection()).objects) {
    const auto content = cluster->content();
    const Json& reference = (*content)["spec"]["secretRef"];
    if (reference["name"].as_string() == event.object->name() &&
        reference["namespace"].as_string() == event.object->ns()) {
      loop_.enqueue({kinds::kCluster.collection(), cluster->key()});
    }
  }
}

Result<std::shared_ptr<cluster::Member>> ClusterStatusReconciler::attach(const Json& cluster) {
  if (context_.agency) {
    auto own = context_.agency->endpoint();
    if (!own) return std::move(own).error();
    return context_.clusters.attach(std::string(cluster::kDefaultDriver), *std::move(own));
  }
  const Json& reference = cluster["spec"]["secretRef"];
  const ObjectPtr secret = context_.get(kinds::kSecret, {std::string(reference["namespace"].as_string()),
                                                         std::string(reference["name"].as_string())});
  const auto secret_content = secret ? secret->content() : nullptr;
  auto endpoint = cluster::endpoint_of(cluster, secret_content.get());
  if (!endpoint) return endpoint.error();
  return context_.clusters.attach(cluster::driver_of(cluster), *std::move(endpoint));
}

// Nodes and pods are followed, not listed: what does not change costs nothing.
Task<void> ClusterStatusReconciler::add_up(std::shared_ptr<cluster::Member> member, ObjectPtr cluster,
                                           ClusterObservation& seen, Status& failed) {
  const auto nodes = member->roster({"", "v1", "nodes"}, trim_node);
  const auto pods = member->roster({"", "v1", "pods"}, trim_pod);
  for (const auto& roster : {nodes, pods}) {
    auto waiting = roster->wait_synced(kFirstList);
    if (!co_await std::move(waiting)) co_return;  // next time
  }
  Counted& counted = counted_[member->name()];
  if (counted.member == member && counted.nodes == nodes->version() && counted.pods == pods->version() &&
      counted.generation == cluster->generation())
    co_return;
  // Outlives this fiber, which may be cancelled while the pool is at it.
  struct Sum {
    cluster::Roster::Listing nodes, pods;
    std::shared_ptr<const Json> cluster;
    Result<Json> summary = Json();
  };
  auto sum = std::make_shared<Sum>();
  sum->nodes = nodes->list();
  sum->pods = pods->list();
  sum->cluster = cluster->content();
  auto summing = run_blocking(context_.executor, [sum] {
    sum->summary = resource_summary((*sum->cluster)["spec"], sum->nodes.objects, sum->pods.objects);
  });
  co_await std::move(summing);
  if (!sum->summary) {
    failed = sum->summary.error();
    co_return;
  }
  seen.node_summary = node_summary(sum->nodes.objects);
  seen.resource_summary = *std::move(sum->summary);
  counted_[member->name()] = {member, sum->nodes.version, sum->pods.version, cluster->generation()};
}

Task<bool> ClusterStatusReconciler::probe(std::shared_ptr<cluster::Member> member, ClusterObservation& seen) {
  cluster::ProbeResult probe;
  auto probing = run_within(probe_into(member, probe), patience_of(context_.options));
  const bool answered = co_await std::move(probing);
  seen.probe = answered ? std::move(probe) : cluster::ProbeResult();
  co_return seen.probe.reachable&& seen.probe.healthy;
}

Task<Result<ClusterObservation>> ClusterStatusReconciler::look_at(std::shared_ptr<cluster::Member> member,
                                                                  ObjectPtr cluster) {
  ClusterObservation seen;
  seen.attached = true;
  auto probing = probe(member, seen);
  const bool healthy = co_await std::move(probing);
  seen.discovery = member->discovery();
  if (!healthy) co_return seen;

  // It may take long in a large cluster, and for ever in one that has begun to hang.
  std::optional<Discovered> discovered;
  std::function<Task<bool>()> still_there = [this, member, &seen] { return probe(member, seen); };
  auto discovering =
      run_attended(discover_into(member, discovered), patience_of(context_.options), std::move(still_there));
  if (!co_await std::move(discovering)) co_return seen;
  if (discovered && *discovered) {
    seen.discovery = **discovered;
  } else {
    seen.discovery_failed = true;
  }
  if (!context_.options.enable_cluster_resource_modeling) co_return seen;
  Status added;
  still_there = [this, member, &seen] { return probe(member, seen); };
  auto adding = run_attended(add_up(member, cluster, seen, added), patience_of(context_.options),
                             std::move(still_there));
  co_await std::move(adding);
  if (!added) co_return added.error();
  co_return seen;
}

void ClusterStatusReconciler::count(const std::string& name, const Json& status) {
  const auto say = [&](const char* metric, double value) {
    gauge_in(context_.metrics, metric, "Of a member cluster, as its status says it.",
             {{"member_cluster", name}})
        ->set(value);
  };
  const auto amount = [](const Json& quantity) {
    const auto read = api::Quantity::parse(quantity.as_string());
    return read ? read->as_double() : 0.0;
  };
  say("cluster_ready_state", api::is_condition_true(status["conditions"], api::conditions::kReady) ? 1 : 0);
  say("cluster_node_number", static_cast<double>(status["nodeSummary"]["totalNum"].as_int()));
  say("cluster_ready_node_number", static_cast<double>(status["nodeSummary"]["readyNum"].as_int()));
  const Json& resources = status["resourceSummary"];
  say("cluster_memory_allocatable_bytes", amount(resources["allocatable"]["memory"]));
  say("cluster_memory_allocated_bytes", amount(resources["allocated"]["memory"]));
  say("cluster_cpu_allocatable_number", amount(resources["allocatable"]["cpu"]));
  say("cluster_cpu_allocated_number", amount(resources["allocated"]["cpu"]));
  say("cluster_pod_allocatable_number", amount(resources["allocatable"]["pods"]));
  say("cluster_pod_allocated_number", amount(resources["allocated"]["pods"]));
}

Task<Outcome> ClusterStatusReconciler::reconcile(Key key) {
  const std::string name = key.object.name;
  const ObjectPtr cluster = context_.get(kinds::kCluster, key.object);
  if (!cluster) {
    smoother_.forget(name);
    counted_.erase(name);
    context_.clusters.detach(name);
    if (context_.metrics != nullptr) context_.metrics->forget("member_cluster", name);
    co_return Outcome::done();
  }
  const SteadyTime began = context_.executor.clock().steady_now();
  auto refreshing = refresh(key.object, cluster);
  Outcome outcome = co_await std::move(refreshing);
  static const Buckets kDefault = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  histogram_in(context_.metrics, "cluster_sync_status_duration_seconds",
               "How long it takes to bring a cluster's status up to date.", kDefault,
               {{"member_cluster", name}})
      ->observe(context_.executor.clock().steady_now() - began);
  co_return outcome;
}

Task<Outcome> ClusterStatusReconciler::refresh(ObjectKey key, ObjectPtr cluster) {
  const std::string name = key.name;
  const auto content = cluster->content();
  if (!is_served_here(context_, *content)) {
    context_.clusters.detach(name);
    co_return Outcome::done();
  }
  if (!api::has_finalizer(*content, api::finalizers::kCluster))
    co_return Outcome::done();  // its change wakes us

  ClusterObservation seen;
  auto member = attach(*content);
  if (member) {
    auto looking = look_at(*member, cluster);
    auto looked = co_await std::move(looking);
    if (!looked) co_return Outcome::retry(looked.error());
    seen = *std::move(looked);
  } else {
    seen.problem = member.error().message();
  }
  const ReadyObservation found = ready_of(seen);
  if (context_.agency && found.status == "True") context_.agency->seen_healthy = true;
  ReadyObservation shown;
  if (const Json* condition =
          api::find_condition((*content)["status"]["conditions"], api::conditions::kReady)) {
    shown = {std::string((*condition)["status"].as_string()), std::string((*condition)["reason"].as_string()),
             std::string((*condition)["message"].as_string())};
  }
  const ReadyObservation ready = smoother_.smooth(name, found, shown, context_.executor.clock().steady_now());

  const WallTime now = context_.now();
  auto look = std::make_shared<const ClusterObservation>(std::move(seen));
  auto writing = context_.writer.modify(kinds::kCluster, Part::Status, key,
                                        [look, ready, now](Json& object) -> Result<bool> {
                                          auto status = cluster_status(object, *look, ready, now);
                                          if (!status) return status.error();
                                          if (*status == std::as_const(object)["status"]) return false;
                                          object.set("status", *std::move(status));
                                          return true;
                                        });
  const auto written = co_await std::move(writing);
  if (!written || ready.status != "True") counted_.erase(name);  // what was counted is not said
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  if (written) count(name, (*(*written)->content())["status"]);
  // A flip that waits for its threshold is looked at when it can show.
  const bool settled = ready.status == found.status;
  const Duration pause = context_.options.cluster_status_update_frequency;
  co_return Outcome::again_in(settled ? pause : std::min<Duration>(pause, std::chrono::seconds(1)));
}

}  // namespace flotilla::controllers
