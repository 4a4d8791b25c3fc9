// SPDX-License-Identifier: Apache-2.0
// end to end/...: the scheduler's controller over a store on sqlite: bindings that exist when it starts,
// until each has its clusters and the last of these commits is durable. 1,000 clusters, 50 sites, a binding
// means one site and is divided over at most three clusters of it.
#include <flotilla/abi/entry.h>

#include <condition_variable>
#include <mutex>

#include "core/async/fiber_scope.hpp"
#include "core/cluster/registry.hpp"
#include "core/controllers/schedule/schedule_reconciler.hpp"
#include "core/overrides/rule_registry.hpp"
#include "core/plugin/storage_adapter.hpp"
#include "tests/bench/fleet.hpp"
#include "tests/bench/schedule_fleet.hpp"
#include "tests/fakes/in_tree_policies.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_storage_sqlite;
}

namespace flotilla::bench {

using api::Json;
using store::Durability;

namespace {

constexpr int kClusters = 1'000;
constexpr int kBindings = 20'000;
constexpr auto kPatience = std::chrono::seconds(80);

Json usual_binding(int i) {
  Json made = Json::parse(R"({"apiVersion":"work.karmada.io/v1alpha2","kind":"ResourceBinding","metadata":{
    "namespace":"default","generation":1,"uid":"0b0a3a3c-7f29-4a2f-9f5e-3f5d9d1b2c3d","finalizers":["karmada.io/binding-controller"],
    "labels":{"propagationpolicy.karmada.io/permanent-id":"p","resourcebinding.karmada.io/permanent-id":"b"},
    "annotations":{"propagationpolicy.karmada.io/namespace":"default","propagationpolicy.karmada.io/name":"web"}},
    "spec":{"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"default"},"schedulerName":"default-scheduler",
    "placement":{"clusterTolerations":[{"key":"cluster.karmada.io/not-ready","operator":"Exists"}],
      "spreadConstraints":[{"spreadByField":"cluster","minGroups":1,"maxGroups":3}],
      "replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"}}}})")
                  .value();
  made.make({"metadata", "name"}) = "web-" + std::to_string(i) + "-deployment";
  made.make({"spec", "resource", "name"}) = "web-" + std::to_string(i);
  made.make({"spec", "resource", "uid"}) = "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + i);
  made.make({"spec", "replicas"}) = 1 + i % 9;
  made.make({"spec", "replicaRequirements", "resourceRequest", "cpu"}) =
      std::to_string(100 + i % 8 * 50) + "m";
  made.make({"spec", "placement", "clusterAffinity", "labelSelector", "matchLabels", "site"}) =
      "site-" + std::to_string(i % 50);
  return made;
}

// Everything the scheduler stands on.
struct Site {
  explicit Site(const std::string& folder) {
    plugin::InstanceOptions options;
    options.state_dir = folder;
    auto instance =
        plugin::Instance::create(environment, *flt_plugin_storage_sqlite.components[0], std::move(options));
    auto backend = plugin::make_storage_backend(*instance);
    store = std::make_unique<store::Store>(executor, *std::move(backend));
    writer = std::make_unique<store::Writer>(*store, clock,
                                             [](const store::AdmissionRequest&, Json&) { return Status(); });
    informers = std::make_unique<informer::Informers>(executor, *store);
    events = std::make_unique<reconcile::EventRecorder>(executor, *writer, "bench");
  }
  void run(Task<void> fiber) {
    FiberScope scope(executor.strand(), "bench");
    scope.spawn(std::move(fiber));
    scope.join_blocking();
  }
  controllers::Context context() {
    return {executor,
            *store,
            *writer,
            *informers,
            *events,
            interpreter,
            clusters,
            *policies,
            rules,
            [] {
              return std::shared_ptr<const api::Registry>(&api::Registry::builtin(),
                                                          [](const api::Registry*) {});
            },
            {},
            &metrics};
  }

  SystemClock clock;
  Executor executor{clock};
  plugin::HostEnvironment environment{executor, "flotilla bench"};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<store::Writer> writer;
  std::unique_ptr<informer::Informers> informers;
  std::unique_ptr<reconcile::EventRecorder> events;
  interpreter::NativeInterpreter interpreter;
  cluster::ClusterRegistry clusters{executor};
  fakes::InTreePolicies policies;
  overrides::RuleRegistry rules;
  Metrics metrics;
};

// Counts bindings that get clusters.
struct Progress {
  std::mutex mutex;
  std::condition_variable reached;
  int scheduled = 0;
};

Task<void> fill(Site& site) {
  auto opening = site.store->open();
  if (const Status opened = co_await std::move(opening); !opened) co_return;  // what is missing tells
  const Json apis = usual_apis();
  for (int i = 0; i < kClusters; ++i) {
    Json cluster = usual_cluster(i, apis);
    cluster["apiVersion"] = "cluster.karmada.io/v1alpha1";
    cluster["kind"] = "Cluster";
    auto creating = site.store->create(controllers::kinds::kCluster.collection(), std::move(cluster),
                                       Durability::Derived);
    const auto made = co_await std::move(creating);
    if (!made) co_return;
  }
  for (int i = 0; i < kBindings; ++i) {
    auto creating = site.store->create(controllers::kinds::kResourceBinding.collection(), usual_binding(i),
                                       Durability::Derived);
    const auto made = co_await std::move(creating);
    if (!made) co_return;
  }
  auto settling = site.store->durable(site.store->revision());
  const Status settled = co_await std::move(settling);
  if (!settled) co_return;
}

Task<void> make_durable(Site& site) {
  auto settling = site.store->durable(site.store->revision());
  const Status settled = co_await std::move(settling);
  if (!settled) co_return;
}

Task<void> finish(Site& site) {
  auto closing = site.store->close();
  co_await std::move(closing);
}

}  // namespace

Status measure_durable_scheduling(std::vector<Line>& lines) {
  ScratchDir dir;
  Site site(dir.path());
  site.run(fill(site));
  Progress progress;
  {
    auto context = site.context();
    controllers::ScheduleReconciler scheduler(context);
    site.informers->on(controllers::kinds::kResourceBinding.collection(), [&](const store::Event& event) {
      if (event.type != store::Event::Type::Modified ||
          event.object->bytes().find("\"clusters\":") == std::string_view::npos)
        return;
      std::lock_guard lock(progress.mutex);
      if (++progress.scheduled == kBindings) progress.reached.notify_all();
    });
    const SteadyTime began = site.clock.steady_now();
    site.events->start();
    site.informers->start();
    scheduler.start();
    bool all = false;
    {
      std::unique_lock lock(progress.mutex);
      all = progress.reached.wait_for(lock, kPatience, [&] { return progress.scheduled >= kBindings; });
    }
    site.run(make_durable(site));
    const Duration took = site.clock.steady_now() - began;
    Line line;
    line.work = "end to end/1000 clusters, sqlite";
    line.count = progress.scheduled;
    line.rate_per_s = static_cast<double>(progress.scheduled) / std::chrono::duration<double>(took).count();
    line.p50_us = 1e6 / line.rate_per_s;
    line.rss_mb = resident_mb();
    lines.push_back(line);
    scheduler.stop();
    site.informers->stop();
    site.events->stop();
    if (!all)
      return Error(Code::Timeout, "only " + std::to_string(progress.scheduled) + " bindings were scheduled");
  }
  site.run(finish(site));
  return {};
}

}  // namespace flotilla::bench
