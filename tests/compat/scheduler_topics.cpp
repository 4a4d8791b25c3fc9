// SPDX-License-Identifier: Apache-2.0
// scheduling, division, spread, estimator, cluster_match, schedule_trigger.
#include <algorithm>
#include <array>

#include "core/scheduler/affinity.hpp"
#include "core/scheduler/assign.hpp"
#include "core/scheduler/candidates.hpp"
#include "core/scheduler/cluster_table_builder.hpp"
#include "core/scheduler/resolve.hpp"
#include "core/scheduler/schedule.hpp"
#include "core/scheduler/select.hpp"
#include "core/scheduler/trigger.hpp"
#include "core/scheduler/webster.hpp"
#include "tests/compat/topic.hpp"
#include "tests/fakes/in_tree_policies.hpp"

namespace flotilla::compat {
namespace {

using api::Json;
namespace scheduler = flotilla::scheduler;

Json error_of(std::string_view message, std::string_view kind = {}) {
  Json error = Json::object({{"message", message}});
  if (!kind.empty()) error["class"] = kind;
  return Json::object({{"error", std::move(error)}});
}

Json error_of(const scheduler::Failure& failure) {
  switch (failure.kind) {
    case scheduler::FailureKind::NoClusterFit:
      return error_of(failure.message, "FitError");
    case scheduler::FailureKind::Unschedulable:
      return error_of(failure.message, "UnschedulableError");
    default:
      return error_of(failure.message, "Error");
  }
}

Json targets_of(const scheduler::ClusterTable& table, std::span<const scheduler::Target> targets) {
  Json list = Json::array();
  for (const scheduler::Target& target : targets) {
    list.push_back(Json::object({{"name", table.name(target.row)}, {"replicas", target.replicas}}));
  }
  return list;
}

// A Cluster of the shorthand {name, labels?, provider?, region?, zones?}.
Json cluster_of(const Json& shorthand) {
  Json cluster = Json::object();
  cluster.make({"metadata", "name"}) = shorthand["name"];
  cluster.make({"metadata", "labels"}) = shorthand["labels"];
  for (std::string_view field : {"provider", "region", "zones"}) {
    cluster.make({"spec", field}) = shorthand[field];
  }
  return cluster;
}

struct Candidates {
  scheduler::ClusterTablePtr table;
  std::vector<scheduler::Candidate> list;
};

Candidates candidates_of(const Json& shorthands, const scheduler::Binding& binding) {
  scheduler::ClusterTableBuilder builder;
  for (const Json& shorthand : shorthands.elements()) builder.update(cluster_of(shorthand));
  Candidates candidates{builder.snapshot(), {}};
  for (const Json& shorthand : shorthands.elements()) {
    std::string_view name = shorthand["name"].as_string();
    scheduler::Candidate candidate{candidates.table->find(name)};
    candidate.score = static_cast<std::int32_t>(shorthand["score"].as_int());
    candidate.allocatable = static_cast<std::int32_t>(shorthand["allocatable"].as_int());
    candidate.available = candidate.allocatable;
    for (const scheduler::TargetCluster& target : binding.clusters) {
      if (target.name == name) candidate.available += target.replicas;
    }
    candidates.list.push_back(candidate);
  }
  return candidates;
}

fakes::InTreePolicies& in_tree() {
  static fakes::InTreePolicies policies;  // one host for all questions
  return policies;
}

// A step of its own, without those before it.
const scheduler::Workload& resolved(scheduler::Resolver& resolver, const scheduler::ClusterTable& table,
                                    const scheduler::Binding& binding) {
  ASSERT((*in_tree()).observe(table).ok());
  return resolver.resolve(table, binding, {});
}

Json assign(const Json& input) {
  scheduler::Binding binding = scheduler::parse_binding(input["spec"], input["status"]);
  Candidates candidates = candidates_of(input["candidates"], binding);
  scheduler::Resolver resolver;
  const scheduler::Workload& workload = resolved(resolver, *candidates.table, binding);
  scheduler::Failure failure;
  std::vector<scheduler::Target> targets =
      scheduler::assign_replicas(workload, *in_tree(), candidates.list, failure);
  if (failure.kind != scheduler::FailureKind::None) return error_of(failure);
  return Json::object({{"clusters", targets_of(*candidates.table, targets)}});
}

Json webster(const Json& input) {
  std::vector<std::string> names = input["votes"].keys();
  for (auto [name, seats] : input["initial"].members()) {
    if (!input["votes"].contains(name)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  std::vector<scheduler::Party> parties;
  for (const std::string& name : names) {
    parties.push_back(
        {input["votes"][name].as_int(), static_cast<std::int32_t>(input["initial"][name].as_int())});
  }
  bool votes = std::any_of(parties.begin(), parties.end(), [](const auto& party) { return party.votes > 0; });
  bool gives = votes && (input["seats"].as_int() > 0 || input["initial"].empty());
  scheduler::apportion(parties, input["seats"].as_int(), scheduler::prefers_last(input["uid"].as_string()));
  Json list = Json::array();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!gives && !input["initial"].contains(names[i])) continue;
    list.push_back(Json::object({{"name", names[i]}, {"replicas", parties[i].seats}}));
  }
  return Json::object({{"clusters", std::move(list)}});
}

Json scheduling(const Json& input) {
  scheduler::ClusterTablePtr table = scheduler::make_cluster_table(input["clusters"].elements());
  scheduler::Binding binding = scheduler::parse_binding(input["spec"], input["status"]);
  scheduler::Options options;
  options.empty_workload_propagation = input["options"]["enableEmptyWorkloadPropagation"].as_bool();
  options.multiple_pod_templates = input["featureGates"]["MultiplePodTemplatesScheduling"].as_bool();
  scheduler::Decision decision = scheduler::schedule(*table, binding, *in_tree(), options);
  if (!decision.ok()) return error_of(decision.failure);
  Json targets = targets_of(*table, decision.targets);
  for (Json& target : targets.elements()) {
    if (!decision.with_components) break;
    for (const scheduler::Component& component : binding.components) {
      target["components"].push_back(
          Json::object({{"name", component.name}, {"replicas", component.replicas}}));
    }
  }
  return Json::object({{"clusters", std::move(targets)}});
}

Json division(const Json& input) {
  return input["op"].as_string() == "webster" ? webster(input) : assign(input);
}

Json groups(const Json& input) {
  std::vector<scheduler::Group> groups;
  for (const Json& group : input["groups"].elements()) {
    groups.push_back({group["name"].as_string(), group["value"].as_int(), group["weight"].as_int()});
  }
  Json names = Json::array();
  for (std::uint32_t at : scheduler::choose_groups(
           groups, static_cast<std::int32_t>(input["minGroups"].as_int()),
           static_cast<std::int32_t>(input["maxGroups"].as_int()), input["target"].as_int())) {
    names.push_back(groups[at].name);
  }
  return Json::object({{"groups", std::move(names)}});
}

// By name.
Json regions_of(const scheduler::ClusterTable& table, std::vector<scheduler::RegionInfo> infos) {
  auto name = [&](const scheduler::RegionInfo& info) { return table.symbols().text(info.region); };
  std::sort(infos.begin(), infos.end(), [&](const auto& a, const auto& b) { return name(a) < name(b); });
  Json regions = Json::array();
  for (const scheduler::RegionInfo& info : infos) {
    regions.push_back(
        Json::object({{"name", name(info)}, {"score", info.score}, {"availableReplicas", info.available}}));
  }
  return regions;
}

Json spread(const Json& input) {
  if (input["op"].as_string() == "groups") return groups(input);
  scheduler::Binding binding = scheduler::parse_binding(input["spec"], input["status"]);
  Candidates candidates = candidates_of(input["clusters"], binding);
  std::sort(candidates.list.begin(), candidates.list.end(),
            [](const auto& a, const auto& b) { return a.row < b.row; });
  scheduler::order_candidates(candidates.list);
  scheduler::Resolver resolver;
  const scheduler::Workload& workload = resolved(resolver, *candidates.table, binding);
  std::vector<scheduler::RegionInfo> infos;
  if (workload.spreads) infos = scheduler::group_by_region(workload, candidates.list);
  Json regions = regions_of(*candidates.table, std::move(infos));
  scheduler::Failure failure;
  const bool selected =
      !workload.spreads || scheduler::select_clusters(workload, *in_tree(), candidates.list, failure);
  Json answer = Json::object();
  if (!selected) {
    answer = error_of(failure.message);
  } else {
    Json names = Json::array();
    for (const scheduler::Candidate& candidate : candidates.list) {
      names.push_back(candidates.table->name(candidate.row));
    }
    answer["clusters"] = std::move(names);
  }
  if (!regions.empty()) answer["regions"] = std::move(regions);
  return answer;
}

Json estimator(const Json& input) {
  scheduler::ClusterTablePtr table = scheduler::make_cluster_table(std::span(&input["cluster"], 1));
  Json spec = Json::object();
  if (input["replicaRequirements"].is_object()) spec["replicaRequirements"] = input["replicaRequirements"];
  scheduler::Binding binding = scheduler::parse_binding(spec, Json());
  scheduler::Resolver resolver;
  const scheduler::Workload& workload = resolved(resolver, *table, binding);
  scheduler::RowSet rows(1, true);
  std::int64_t replicas = INT32_MAX;
  for (const scheduler::Policies::Entry& entry : (*in_tree()).entries()) {
    if ((entry.policy->steps() & scheduler::kEstimateStep) == 0) continue;
    ASSERT(entry.policy->estimate(workload, {0, 1}, rows.words(), std::span(&replicas, 1)).ok());
  }
  return Json::object({{"replicas", replicas}});
}

Json cluster_match(const Json& input) {
  scheduler::ClusterTablePtr table = scheduler::make_cluster_table(std::span(&input["cluster"], 1));
  scheduler::RowSet rows = scheduler::matching_rows(*table, scheduler::parse_affinity(input["affinity"]));
  return Json::object({{"matches", rows.has(0)}});
}

Json condition(const Json& input) {
  std::vector<scheduler::Failure> failures;
  for (const Json& error : input["errors"].elements()) {
    std::string message(error["message"].as_string());
    if (error["class"].as_string() == "FitError") {
      failures.push_back(
          {scheduler::FailureKind::NoClusterFit, "0/3 clusters are available: 1 " + message + "."});
    } else if (error["class"].as_string() == "UnschedulableError") {
      failures.push_back({scheduler::FailureKind::Unschedulable, "failed to assign replicas: " + message});
    } else {
      failures.push_back({scheduler::FailureKind::Other, message});
    }
  }
  scheduler::ScheduledCondition result = scheduler::scheduled_condition(failures);
  return Json::object({{"type", "Scheduled"},
                       {"status", result.scheduled ? "True" : "False"},
                       {"reason", result.reason},
                       {"message", result.message},
                       {"ignore", result.ignore}});
}

Json schedule_trigger(const Json& input) {
  std::string_view op = input["op"].as_string();
  std::string_view observed = input["schedulerObservingAffinityName"].as_string();
  if (op == "placementChanged") {
    return Json::object(
        {{"changed", scheduler::placement_changed(input["placement"], input["appliedPlacement"].as_string(),
                                                  observed)}});
  }
  if (op == "replicasChanged") return Json::object({{"changed", scheduler::replicas_changed(input["spec"])}});
  if (op == "rescheduleRequired") {
    return Json::object({{"required", scheduler::reschedule_required(input["spec"], input["status"])}});
  }
  if (op == "affinityIndex") {
    scheduler::PlacementPtr placement = scheduler::parse_placement(input["placement"]);
    return Json::object({{"index", scheduler::affinity_index(*placement, observed)}});
  }
  if (op == "condition") return condition(input);
  return error_of("unknown op");
}

constexpr std::array<Topic, 6> kTopics = {{{"scheduling", scheduling},
                                           {"division", division},
                                           {"spread", spread},
                                           {"estimator", estimator},
                                           {"cluster_match", cluster_match},
                                           {"schedule_trigger", schedule_trigger}}};

}  // namespace

std::span<const Topic> scheduler_topics() {
  return kTopics;
}

}  // namespace flotilla::compat
