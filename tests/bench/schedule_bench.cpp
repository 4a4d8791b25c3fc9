// SPDX-License-Identifier: Apache-2.0
// decision/<clusters>/<strategy>: one whole decision through all in-tree policies, over a fleet with labels,
// taints, regions and a usual number of APIs. Bindings differ in uid, replicas and requests; they share
// placements. stranger/<clusters>: one call of a policy that does nothing, through the plugin ABI, announced
// as where it may hang. watched/<clusters>: one decision of 64 that are given to the threads for policies
// that may hang, with all in-tree policies and that one, until all are back. Then a fleet that changes all
// the time, and the scheduler as a whole with durable writes.
#include <array>
#include <flotilla/sdk/scheduler.hpp>

#include "core/controllers/schedule/watched_decisions.hpp"
#include "core/plugin/scheduler_adapter.hpp"
#include "core/scheduler/cluster_table_builder.hpp"
#include "core/scheduler/schedule.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/schedule_fleet.hpp"
#include "tests/fakes/in_tree_policies.hpp"

namespace flotilla::bench {
namespace {

using api::Json;

constexpr int kBindings = 64;
constexpr auto kLeast = std::chrono::milliseconds(300);
constexpr std::int64_t kMostTimes = 20000;

struct Strategy {
  std::string_view name;
  std::string_view scheduling;  // replicaScheduling
  std::string_view spread;      // spreadConstraints
};

constexpr std::string_view kDynamic =
    R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted",
        "weightPreference":{"dynamicWeight":"AvailableReplicas"}})";
constexpr std::array<Strategy, 5> kStrategies = {
    {{"duplicated", R"({"replicaSchedulingType":"Duplicated"})", "[]"},
     {"static",
      R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":
        {"staticWeightList":[{"targetCluster":{"labelSelector":{"matchLabels":{"tier":"gold"}}},"weight":3},
        {"targetCluster":{"labelSelector":{"matchLabels":{"tier":"silver"}}},"weight":2}]}})",
      "[]"},
     {"dynamic", kDynamic, "[]"},
     {"aggregated", R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"})", "[]"},
     {"spread", kDynamic, R"([{"spreadByField":"region","minGroups":2,"maxGroups":3},
        {"spreadByField":"cluster","minGroups":3,"maxGroups":6}])"}}};

class Idle {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "idle", .summary = "Has no objection"};
  void filter(sdk::Workload, sdk::Table, sdk::Fits) const {}
};

// What the boundary itself costs.
Line call_a_stranger(const scheduler::ClusterTable& table, const scheduler::Binding& binding) {
  SystemClock clock;
  Executor executor(clock, {.io_threads = 1, .blocking_threads = 1});
  plugin::HostEnvironment environment(executor, "flotilla-bench");
  auto instance = plugin::Instance::create(environment, sdk::scheduler_component<Idle>, {});
  ASSERT(instance.ok());
  auto policy = plugin::make_scheduler_policy(std::move(*instance));
  ASSERT(policy.ok());
  scheduler::Resolver resolver;
  scheduler::CallWatch watch;
  scheduler::Workload& workload = resolver.resolve(table, binding, {});
  workload.watch = &watch;
  scheduler::RowSet fits(table.size(), true);
  std::vector<scheduler::Reason> reasons(table.size());
  const scheduler::RowRange all{0, static_cast<scheduler::Row>(table.size())};
  const auto call = [&](std::int64_t) {
    ASSERT((*policy)->filter(workload, all, fits.words(), reasons).ok());
  };
  Line line = measure("stranger/" + std::to_string(table.size()), kLeast, kMostTimes, kBindings, call);
  policy.value().reset();
  executor.stop();
  return line;
}

// What it costs that a policy may hang: whole decisions, given away and taken back.
Line decide_watched(const scheduler::ClusterTablePtr& table, const std::vector<scheduler::Binding>& asked) {
  SystemClock clock;
  Executor executor(clock, {.io_threads = 1, .blocking_threads = 1});
  plugin::HostEnvironment environment(executor, "flotilla-bench");
  auto instance = plugin::Instance::create(environment, sdk::scheduler_component<Idle>, {});
  ASSERT(instance.ok());
  fakes::InTreePolicies policies;
  (*policies).add(std::move(plugin::make_scheduler_policy(std::move(*instance)).value()));
  controllers::WatchedDecisions decisions({}, std::chrono::seconds(1));
  std::size_t waiting = 0;
  const auto decide = [&](std::int64_t i) {
    const auto& binding = asked[static_cast<std::size_t>(i) % asked.size()];
    decisions.ask({static_cast<std::uint64_t>(i), binding, table, &*policies});
    if (++waiting < asked.size()) return;
    decisions.settle_blocking();
    ASSERT(decisions.take_answers().size() == waiting);
    waiting = 0;
  };
  Line line = measure("watched/" + std::to_string(table->size()), kLeast, kMostTimes, kBindings, decide);
  decisions.settle_blocking();
  return line;
}

std::vector<scheduler::Binding> bindings(const Strategy& strategy) {
  std::vector<scheduler::Binding> made;
  for (int i = 0; i < kBindings; ++i) {
    Json spec =
        Json::parse(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"default"}})")
            .value();
    spec.make({"resource", "name"}) = "web-" + std::to_string(i);
    spec.make({"resource", "uid"}) = "00000000-0000-4000-8000-0000000000" + std::to_string(10 + i);
    spec["replicas"] = 20 + i * 7 % 100;
    spec.make({"replicaRequirements", "resourceRequest", "cpu"}) = std::to_string(100 + i * 50) + "m";
    spec.make({"replicaRequirements", "resourceRequest", "memory"}) = std::to_string(128 + i * 16) + "Mi";
    Json& placement = spec["placement"];
    placement.make({"clusterAffinity", "labelSelector", "matchLabels", "env"}) = "prod";
    placement["clusterTolerations"] = Json::parse(R"([{"key":"dedicated","operator":"Exists"}])").value();
    placement["replicaScheduling"] = Json::parse(strategy.scheduling).value();
    placement["spreadConstraints"] = Json::parse(strategy.spread).value();
    made.push_back(scheduler::parse_binding(spec, Json()));
  }
  return made;
}

}  // namespace

Result<std::vector<Line>> run_schedule() {
  std::vector<Line> lines;
  const Json enablements = usual_apis();
  for (int clusters : {10, 100, 1000, 5000}) {
    scheduler::ClusterTableBuilder builder;
    for (int i = 0; i < clusters; ++i) builder.update(usual_cluster(i, enablements));
    const scheduler::ClusterTablePtr table = builder.snapshot();
    fakes::InTreePolicies policies;
    scheduler::Workspace workspace;
    for (const Strategy& strategy : kStrategies) {
      const std::vector<scheduler::Binding> asked = bindings(strategy);
      std::string failed;
      auto decide = [&](std::int64_t i) {
        const auto& binding = asked[static_cast<std::size_t>(i) % asked.size()];
        scheduler::Decision decision = scheduler::schedule(*table, binding, *policies, {}, workspace);
        if (!decision.ok()) failed = decision.failure.message;
      };
      std::string work = "decision/" + std::to_string(clusters) + "/" + std::string(strategy.name);
      lines.push_back(measure(work, kLeast, kMostTimes, kBindings, decide));
      if (!failed.empty()) return internal(work + ": " + failed);
    }
    lines.push_back(call_a_stranger(*table, bindings(kStrategies[0])[0]));
    lines.push_back(decide_watched(table, bindings(kStrategies[0])));
  }
  if (Status measured = measure_changing_fleet(lines); !measured) return measured.error();
  if (Status measured = measure_durable_scheduling(lines); !measured) return measured.error();
  return lines;
}

}  // namespace flotilla::bench
