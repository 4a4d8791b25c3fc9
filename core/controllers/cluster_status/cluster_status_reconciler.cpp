// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cluster_status/cluster_status_reconciler.hpp"

#include "core/api/conditions.hpp"
#include "core/api/quantity.hpp"
#include "core/cluster/endpoint.hpp"

namespace flotilla::controllers {

ClusterStatusReconciler::ClusterStatusReconciler(Context& context)
    : LoopController(context, "cluster-status", {.workers = 16}),
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
  const Json& reference = cluster["spec"]["secretRef"];
  const ObjectPtr secret = context_.get(kinds::kSecret, {std::string(reference["namespace"].as_string()),
                                                         std::string(reference["name"].as_string())});
  const auto secret_content = secret ? secret->content() : nullptr;
  auto endpoint = cluster::endpoint_of(cluster, secret_content.get());
  if (!endpoint) return endpoint.error();
  return context_.clusters.attach(cluster::driver_of(cluster), *std::move(endpoint));
}

Task<ClusterObservation> ClusterStatusReconciler::look_at(std::shared_ptr<cluster::Member> member) {
  ClusterObservation seen;
  seen.attached = true;
  auto probing = member->connection().probe();
  seen.probe = co_await std::move(probing);
  seen.discovery = member->discovery();
  if (!seen.probe.reachable || !seen.probe.healthy) co_return seen;

  auto discovering = member->discover();
  const auto discovered = co_await std::move(discovering);
  if (discovered) {
    seen.discovery = *discovered;
  } else {
    seen.discovery_failed = true;
  }
  const auto list = [&](const char* resource) {
    return member->connection().list({"", "v1", resource}, cluster::ListSelector());
  };
  auto listing_nodes = list("nodes");
  Result<cluster::MemberList> nodes = co_await std::move(listing_nodes);
  if (nodes) seen.nodes = std::move(nodes->objects);
  auto listing_pods = list("pods");
  Result<cluster::MemberList> pods = co_await std::move(listing_pods);
  if (pods) seen.pods = std::move(pods->objects);
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
  if ((*content)["spec"]["syncMode"].as_string("Push") != "Push") co_return Outcome::done();
  if (!api::has_finalizer(*content, api::finalizers::kCluster))
    co_return Outcome::done();  // its change wakes us

  ClusterObservation seen;
  auto member = attach(*content);
  if (member) {
    auto looking = look_at(*member);
    seen = co_await std::move(looking);
  } else {
    seen.problem = member.error().message();
  }
  const ReadyObservation found = ready_of(seen);
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
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  if (written) count(name, (*(*written)->content())["status"]);
  // A flip that waits for its threshold is looked at when it can show.
  const bool settled = ready.status == found.status;
  const Duration pause = context_.options.cluster_status_update_frequency;
  co_return Outcome::again_in(settled ? pause : std::min<Duration>(pause, std::chrono::seconds(1)));
}

}  // namespace flotilla::controllers
