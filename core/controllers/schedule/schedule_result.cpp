// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/schedule/schedule_result.hpp"

#include <algorithm>
#include <utility>

#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {

using api::Json;

namespace {

bool names(const Json& targets, std::string_view cluster) {
  const auto list = targets.elements();
  return std::any_of(list.begin(), list.end(),
                     [&](const Json& target) { return target["name"].as_string() == cluster; });
}

// Writes down which clusters lose the workload; what is chosen again is forgotten.
void note_removals(Json& binding, const Json& targets, const api::RemovalCause& cause) {
  const Json before = std::as_const(binding)["spec"]["clusters"];
  for (const Json& target : before.elements()) {
    const std::string_view cluster = target["name"].as_string();
    if (!names(targets, cluster)) api::note_removal(binding, cluster, cause);
  }
  for (const Json& target : targets.elements()) api::forget_removal(binding, target["name"].as_string());
}

}  // namespace

Json targets_of(const scheduler::Decision& decision, const scheduler::ClusterTable& table,
                const Json& components) {
  Json targets = Json::array();
  for (const scheduler::Target& target : decision.targets) {
    Json entry = Json::object({{"name", table.name(target.row)}});
    if (target.replicas != 0) entry.set("replicas", target.replicas);
    if (decision.with_components && !components.empty()) entry.set("components", components);
    targets.push_back(std::move(entry));
  }
  return targets;
}

std::string result_text(const Json& targets) {
  std::string text = "{";
  for (const Json& target : targets.elements()) {
    if (text.size() > 1) text += ", ";
    text += std::string(target["name"].as_string()) + ":" + std::to_string(target["replicas"].as_int());
  }
  return text + "}";
}

api::RemovalCause cause_of_removal(std::string_view reason, const scheduler::ScheduledCondition& condition,
                                   WallTime now) {
  api::RemovalCause cause{
      api::RemovalReason::Rescheduled, "scheduler", std::string(reason), format_time(now), {}};
  if (!condition.scheduled) {
    cause.reason = api::RemovalReason::NoClusterFits;
    cause.message = condition.message;
  } else if (reason == "placement changed") {
    cause.reason = api::RemovalReason::PlacementChanged;
  }
  return cause;
}

bool set_result(Json& binding, const Json& targets, const std::string& placement,
                const api::RemovalCause& cause, std::int64_t& generation) {
  const Json& known = std::as_const(binding)["spec"]["clusters"];
  const bool same = known == targets || (known.empty() && targets.empty());
  if (same && api::annotation_of(binding, api::annotations::kAppliedPlacement) == placement) return false;
  binding.make({"metadata", "annotations", api::annotations::kAppliedPlacement}) = placement;
  if (same) return true;
  note_removals(binding, targets, cause);
  if (targets.empty()) {
    binding["spec"].erase("clusters");
  } else {
    binding["spec"].set("clusters", targets);
  }
  ++generation;
  return true;
}

bool is_said(const Json& status, const scheduler::ScheduledCondition& condition, const std::string& affinity,
             std::int64_t generation) {
  const Json* known = api::find_condition(status["conditions"], api::conditions::kScheduled);
  return condition.scheduled && known != nullptr && (*known)["status"].as_string() == "True" &&
         (*known)["reason"].as_string() == condition.reason &&
         status["schedulerObservedGeneration"].as_int() == generation &&
         (affinity.empty() || status["schedulerObservingAffinityName"].as_string() == affinity);
}

bool set_outcome(Json& binding, const scheduler::ScheduledCondition& condition, const std::string& affinity,
                 std::int64_t generation, WallTime now) {
  Json& status = binding["status"];
  const Json before = status;
  api::set_condition(status["conditions"],
                     {api::conditions::kScheduled, condition.scheduled ? "True" : "False", condition.reason,
                      condition.message},
                     now);
  if (condition.scheduled) {
    status.set("schedulerObservedGeneration", generation);
    status.set("lastScheduledTime", format_time(now));
  }
  if (!affinity.empty()) status.set("schedulerObservingAffinityName", affinity);
  return !(before == status);
}

}  // namespace flotilla::controllers
