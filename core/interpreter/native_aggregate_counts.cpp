// SPDX-License-Identifier: Apache-2.0
// Statuses that are sums: workloads, disruption budgets, autoscalers.
#include <string>
#include <utility>
#include <vector>

#include "core/interpreter/count_fields.hpp"
#include "core/interpreter/fields.hpp"
#include "core/interpreter/native_kinds.hpp"

namespace flotilla::interpreter {

namespace {

// What a member must have seen to count as having observed the template's generation.
enum class Observes : std::uint8_t {
  OwnAndTemplate,  // its own generation, and it was made from the template's current one
  OwnAndRelative,  // its own generation, and it was made from a template generation not below its own
};

struct Sums {
  std::vector<std::int64_t> totals;
  std::size_t observing = 0;  // members that observe the template's generation
};

Result<Sums> add_up(std::span<const api::Json> items, std::span<const CountField> fields, Observes observes,
                    std::int64_t template_generation) {
  Sums sums{std::vector<std::int64_t>(fields.size()), 0};
  for (const api::Json& item : items) {
    const api::Json& status = item["status"];
    if (status.is_null()) continue;
    FieldReader reader(status, "status");
    for (std::size_t i = 0; i < fields.size(); ++i) sums.totals[i] += reader.count(fields[i].name);
    std::int64_t generation = reader.count("generation");
    std::int64_t made_from = reader.count("resourceTemplateGeneration");
    std::int64_t needed = observes == Observes::OwnAndTemplate ? template_generation : generation;
    if (reader.count("observedGeneration") >= generation && made_from >= needed) ++sums.observing;
    Status read = reader.ok();
    if (!read) return std::move(read).context("member " + std::string(item["clusterName"].as_string()));
  }
  return sums;
}

// The template's status with the sums in it; the very same when no number changes.
Result<api::Json> aggregate_workload(const api::Json& object, std::span<const api::Json> items,
                                     std::span<const CountField> fields, Observes observes) {
  Result<const api::Json*> old = status_of(object);
  if (!old) return std::move(old).error();
  std::int64_t generation = object.at({"metadata", "generation"}).as_int();
  Result<Sums> sums = add_up(items, fields, observes, generation);
  if (!sums) return std::move(sums).error();
  FieldReader before(**old, "status");
  std::int64_t observed_before = before.count("observedGeneration");
  std::int64_t observed = sums->observing == items.size() ? generation : observed_before;
  bool changed = observed != observed_before;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    changed = changed || before.count(fields[i].name) != sums->totals[i];
  }
  Status read = before.ok();
  if (!read) return std::move(read).error();
  api::Json status = **old;
  if (!changed) return status;
  set_count(status, {"observedGeneration"}, observed);
  for (std::size_t i = 0; i < fields.size(); ++i) set_count(status, fields[i], sums->totals[i]);
  return status;
}

// A status of nothing but the sums.
Result<api::Json> sums_alone(std::span<const api::Json> items, std::span<const CountField> fields) {
  Result<Sums> sums = add_up(items, fields, Observes::OwnAndTemplate, 0);
  if (!sums) return std::move(sums).error();
  api::Json status = api::Json::object();
  for (std::size_t i = 0; i < fields.size(); ++i) set_count(status, fields[i], sums->totals[i]);
  return status;
}

}  // namespace

Result<api::Json> aggregate_deployment(const api::Json& object, std::span<const api::Json> items, WallTime) {
  return aggregate_workload(object, items, kDeploymentCounts, Observes::OwnAndTemplate);
}

Result<api::Json> aggregate_replica_set(const api::Json& object, std::span<const api::Json> items, WallTime) {
  Result<api::Json> status = aggregate_workload(object, items, kReplicaSetCounts, Observes::OwnAndTemplate);
  // Kept, not summed: no member tells it.
  if (status && *status != object["status"]) {
    set_count(*status, {"fullyLabeledReplicas"}, std::as_const(*status)["fullyLabeledReplicas"].as_int());
  }
  return status;
}

Result<api::Json> aggregate_stateful_set(const api::Json& object, std::span<const api::Json> items,
                                         WallTime) {
  return aggregate_workload(object, items, kStatefulSetCounts, Observes::OwnAndRelative);
}

Result<api::Json> aggregate_daemon_set(const api::Json& object, std::span<const api::Json> items, WallTime) {
  return aggregate_workload(object, items, kDaemonSetCounts, Observes::OwnAndTemplate);
}

Result<api::Json> aggregate_disruption_budget(const api::Json&, std::span<const api::Json> items, WallTime) {
  Result<api::Json> status = sums_alone(items, kDisruptionBudgetCounts);
  if (!status) return status;
  for (const api::Json& item : items) {
    std::string prefix = std::string(item["clusterName"].as_string()) + "/";
    for (auto [pod, since] : item["status"]["disruptedPods"].members()) {
      status->make({"disruptedPods"}).set(prefix + std::string(pod), since);
    }
  }
  return status;
}

Result<api::Json> aggregate_autoscaler(const api::Json& object, std::span<const api::Json> items, WallTime) {
  Result<api::Json> status = sums_alone(items, kAutoscalerCounts);
  if (status && same_content(*status, object["status"])) return api::Json(object["status"]);
  return status;
}

}  // namespace flotilla::interpreter
