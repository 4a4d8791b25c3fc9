// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cluster_health/lease_monitor_reconciler.hpp"

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"

namespace flotilla::controllers {
namespace {

Json ready_condition(const Json& cluster) {
  const Json* ready = api::find_condition(cluster["status"]["conditions"], api::conditions::kReady);
  return ready == nullptr ? Json() : *ready;
}

}  // namespace

LeaseMonitorReconciler::LeaseMonitorReconciler(Context& context)
    : LoopController(context, "cluster-monitor") {
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) {
    const bool same = event.previous && event.previous->generation() == event.object->generation();
    if (!same || event.type == Event::Type::Deleted) enqueue(event);
  });
}

Task<Outcome> LeaseMonitorReconciler::reconcile(Key key) {
  const ObjectPtr cluster = context_.get(kinds::kCluster, key.object);
  if (!cluster) {
    signs_.erase(key.object.name);
    co_return Outcome::done();
  }
  const auto content = cluster->content();
  if ((*content)["spec"]["syncMode"].as_string() != "Pull") co_return Outcome::done();
  if (listen(*cluster, *content) < context_.now()) {
    auto calling = call_unknown(cluster);
    const Status called = co_await std::move(calling);
    if (!called) co_return Outcome::retry(called.error());
  }
  co_return Outcome::again_in(context_.options.cluster_monitor_period);
}

WallTime LeaseMonitorReconciler::listen(const api::Object& cluster, const Json& content) {
  const ObjectPtr lease = context_.get(kinds::kLease, {std::string(api::kClusterNamespace), cluster.name()});
  const auto lease_content = lease ? lease->content() : nullptr;
  AgentSigns now{ready_condition(content), {}, context_.now()};
  if (lease_content) now.lease = (*lease_content)["spec"]["renewTime"].as_string();
  const bool said_nothing = now.ready.is_null();
  const auto [known, fresh] = signs_.try_emplace(cluster.name(), now);
  if (fresh && said_nothing) {
    if (const auto made = parse_time(content["metadata"]["creationTimestamp"].as_string()))
      known->second.heard = *made;
  } else if (!fresh && (!(known->second.ready == now.ready) || now.lease > known->second.lease)) {
    known->second = std::move(now);
  }
  const Options& options = context_.options;
  return known->second.heard +
         (said_nothing ? options.cluster_startup_grace_period : options.cluster_monitor_grace_period);
}

Task<Status> LeaseMonitorReconciler::call_unknown(ObjectPtr cluster) {
  const WallTime now = context_.now();
  auto writing = context_.writer.modify(
      kinds::kCluster, Part::Status, cluster->key(), [now](Json& object) -> Result<bool> {
        const Json ready = ready_condition(object);
        if (std::as_const(ready)["status"].as_string() == "Unknown") return false;
        const bool never = ready.is_null();
        return api::set_condition(
            object.make({"status", "conditions"}),
            {api::conditions::kReady, "Unknown", never ? "ClusterStatusNeverUpdated" : "ClusterStatusUnknown",
             never ? "Cluster status controller never posted cluster status."
                   : "Cluster status controller stopped posting cluster status."},
            now);
      });
  const auto written = co_await std::move(writing);
  if (!written) co_return written.error().is(Code::NotFound) ? Status() : Status(written.error());
  // Its own word is not a sign of life.
  const auto known = signs_.find(cluster->name());
  if (known != signs_.end()) known->second.ready = ready_condition(*(*written)->content());
  co_return Status();
}

}  // namespace flotilla::controllers
