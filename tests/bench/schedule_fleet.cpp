// SPDX-License-Identifier: Apache-2.0
// fleet/10000/...: 100,000 bindings that share 200 placements, of which a binding means one site (200 of
// 10,000 clusters), decided in cycles of 256 while 1,000 clusters change every second: all of them what is
// allocated, one in ten a label too. A cycle takes over what has changed, as the scheduler does. "with
// records": each decision's record is filled, put together and encoded, as if each were written.
#include "tests/bench/schedule_fleet.hpp"

#include <array>
#include <future>
#include <map>
#include <mutex>
#include <string>

#include "core/scheduler/cluster_table_builder.hpp"
#include "core/scheduler/decision_record.hpp"
#include "core/scheduler/schedule.hpp"
#include "tests/fakes/in_tree_policies.hpp"

namespace flotilla::bench {

using api::Json;

namespace {

constexpr int kApiGroups = 20;
constexpr int kKindsPerGroup = 6;
constexpr int kClusters = 10'000;
constexpr int kBindings = 100'000;
constexpr int kPlacements = 200;
constexpr int kCycle = 256;
constexpr int kChangesPerSecond = kClusters / 10;
constexpr auto kLength = std::chrono::seconds(5);

constexpr std::array<std::string_view, 4> kScheduling = {
    R"({"replicaSchedulingType":"Duplicated"})",
    R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"})",
    R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{"dynamicWeight":"AvailableReplicas"}})",
    R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{"staticWeightList":[{"targetCluster":{"labelSelector":{"matchLabels":{"tier":"gold"}}},"weight":3}]}})"};

std::vector<scheduler::Binding> shared_bindings() {
  std::vector<scheduler::PlacementPtr> placements;
  for (int i = 0; i < kPlacements; ++i) {
    Json placement = Json::object();
    placement.make({"clusterAffinity", "labelSelector", "matchLabels", "site"}) =
        "site-" + std::to_string(i % 50);
    placement["replicaScheduling"] = Json::parse(kScheduling[static_cast<std::size_t>(i / 50)]).value();
    placements.push_back(scheduler::parse_placement(placement));
  }
  std::vector<scheduler::Binding> made;
  for (int i = 0; i < kBindings; ++i) {
    Json spec =
        Json::parse(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"default"}})")
            .value();
    spec.make({"resource", "name"}) = "web-" + std::to_string(i);
    spec.make({"resource", "uid"}) = "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + i);
    spec["replicas"] = 20 + i * 7 % 100;
    spec.make({"replicaRequirements", "resourceRequest", "cpu"}) = std::to_string(100 + i % 64 * 50) + "m";
    made.push_back(scheduler::parse_binding(spec, Json()));
    made.back().placement = placements[static_cast<std::size_t>(i) % placements.size()];
  }
  return made;
}

struct Fleet {
  Fleet() : apis(usual_apis()) {
    for (int i = 0; i < kClusters; ++i) builder.update(usual_cluster(i, apis));
    table = builder.snapshot();
  }
  // One more cluster has changed.
  void change() {
    const int number = static_cast<int>(std::int64_t{changes} * 7919 % kClusters);
    Json cluster = usual_cluster(number, apis, ++changes);
    if (changes % 10 == 0)
      cluster.make({"metadata", "labels", "rack"}) = "rack-" + std::to_string(changes % 97);
    builder.update(cluster);
  }
  Json apis;
  scheduler::ClusterTableBuilder builder;
  scheduler::ClusterTablePtr table;
  int changes = 0;
};

// What the log of decisions does, without a store.
class Recorder {
 public:
  explicit Recorder(const scheduler::ClusterTable& table) {
    for (scheduler::Row row = 0; row < table.size(); ++row) rows_.push_back(number_of(table.name(row)));
  }
  std::size_t record(const scheduler::Binding& binding, scheduler::Decision decision,
                     const scheduler::ClusterTable& table, const scheduler::Policies& policies,
                     const scheduler::Options& options) {
    scheduler::Attempt attempt;
    attempt.binding = binding;
    if (!decision.ok()) attempt.failures.push_back(decision.failure);
    attempt.decision = std::move(decision);
    const scheduler::NumberOf numbers = [this](std::string_view name) { return number_of(name); };
    return scheduler::encode(scheduler::describe(attempt, table, policies, options, rows_, numbers)).size();
  }

 private:
  scheduler::NameNumber number_of(std::string_view name) {
    const std::lock_guard lock(mutex_);
    return numbers_.try_emplace(std::string(name), static_cast<scheduler::NameNumber>(numbers_.size()))
        .first->second;
  }
  std::mutex mutex_;
  std::map<std::string, scheduler::NameNumber> numbers_;
  std::vector<scheduler::NameNumber> rows_;
};

Result<Line> decide_while_changing(Fleet& fleet, const std::vector<scheduler::Binding>& bindings,
                                   std::size_t lanes, bool records) {
  SystemClock clock;
  fakes::InTreePolicies policies;
  std::vector<scheduler::Workspace> workspaces(lanes);
  scheduler::Options options;
  options.record = records;
  Recorder recorder(*fleet.table);
  std::vector<std::size_t> bytes(lanes);
  std::vector<Duration> times;
  std::string failed;
  std::int64_t next = 0, changed = 0;
  const auto decide = [&](std::size_t lane, std::int64_t first) {
    for (std::int64_t i = first + static_cast<std::int64_t>(lane); i < first + kCycle;
         i += static_cast<std::int64_t>(lanes)) {
      const auto& binding = bindings[static_cast<std::size_t>(i) % bindings.size()];
      auto decision = scheduler::schedule(*fleet.table, binding, *policies, options, workspaces[lane]);
      if (!decision.ok() && decision.failure.kind != scheduler::FailureKind::Unschedulable && lane == 0)
        failed = decision.failure.message;
      if (records)
        bytes[lane] += recorder.record(binding, std::move(decision), *fleet.table, *policies, options);
    }
  };
  const SteadyTime began = clock.steady_now();
  Duration passed{0};
  while (passed < kLength) {
    const SteadyTime cycle = clock.steady_now();
    const auto due =
        std::chrono::duration_cast<std::chrono::milliseconds>(passed).count() * kChangesPerSecond / 1000;
    for (; changed < due; ++changed) fleet.change();
    fleet.table = fleet.builder.snapshot();
    if (Status seen = (*policies).observe(*fleet.table); !seen) return seen.error();
    std::vector<std::future<void>> others;
    for (std::size_t lane = 1; lane < lanes; ++lane) {
      others.push_back(std::async(std::launch::async, decide, lane, next));
    }
    decide(0, next);
    for (auto& other : others) other.get();
    next += kCycle;
    times.push_back((clock.steady_now() - cycle) / kCycle);
    passed = clock.steady_now() - began;
  }
  if (!failed.empty()) return internal("fleet: " + failed);
  Line line = summarize(
      "fleet/10000, 1000 changes/s/" + std::to_string(lanes) + " lanes" + (records ? ", records" : ""), times,
      passed);
  line.count = next;
  line.rate_per_s = static_cast<double>(next) / std::chrono::duration<double>(passed).count();
  return line;
}

}  // namespace

Json usual_apis() {
  Json enablements =
      Json::parse(R"([{"groupVersion":"apps/v1","resources":[{"name":"deployments","kind":"Deployment"}]}])")
          .value();
  for (int group = 0; group < kApiGroups; ++group) {
    Json enablement = Json::object({{"groupVersion", "group" + std::to_string(group) + ".io/v1"}});
    for (int kind = 0; kind < kKindsPerGroup; ++kind) {
      std::string name = "Kind" + std::to_string(kind);
      enablement["resources"].push_back(Json::object({{"name", name + "s"}, {"kind", name}}));
    }
    enablements.push_back(std::move(enablement));
  }
  return enablements;
}

Json usual_cluster(int number, const Json& enablements, int round) {
  auto digits = std::to_string(number);
  Json made = Json::object();
  made.make({"metadata", "name"}) = "cluster-" + std::string(5 - digits.size(), '0') + digits;
  Json& labels = made.make({"metadata", "labels"});
  labels["env"] = number % 5 == 0 ? "dev" : "prod";
  labels["tier"] = std::array{"gold", "silver", "bronze"}[static_cast<std::size_t>(number % 3)];
  labels["site"] = "site-" + std::to_string(number % 50);
  made.make({"spec", "provider"}) = number % 2 == 0 ? "aws" : "azure";
  made.make({"spec", "region"}) = "region-" + std::to_string(number % 8);
  if (number % 20 == 3) {
    made.make({"spec", "taints"}) =
        Json::parse(R"([{"key":"cluster.karmada.io/not-ready","effect":"NoSchedule"}])").value();
  }
  made.make({"status", "apiEnablements"}) = enablements;
  Json& allocatable = made.make({"status", "resourceSummary", "allocatable"});
  allocatable["cpu"] = std::to_string(50 + number * 37 % 200);
  allocatable["memory"] = std::to_string(100 + number * 53 % 400) + "Gi";
  allocatable["pods"] = "1100";
  Json& allocated = made.make({"status", "resourceSummary", "allocated"});
  allocated["cpu"] = std::to_string((number * 71 + round * 317) % 40000) + "m";
  allocated["memory"] = std::to_string(number * 29 % 90) + "Gi";
  return made;
}

Status measure_changing_fleet(std::vector<Line>& lines) {
  Fleet fleet;
  const std::vector<scheduler::Binding> bindings = shared_bindings();
  for (const bool records : {false, true}) {
    for (const std::size_t lanes : {1, 2}) {
      auto line = decide_while_changing(fleet, bindings, lanes, records);
      if (!line) return line.error();
      lines.push_back(*std::move(line));
    }
  }
  return {};
}

}  // namespace flotilla::bench
