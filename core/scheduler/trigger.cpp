// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/trigger.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "core/api/karmada.hpp"
#include "core/base/clock.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

const Json* find_term(const Json& placement, std::string_view name) {
  for (const Json& term : placement["clusterAffinities"].elements()) {
    if (term["affinityName"].as_string() == name) return &term;
  }
  return nullptr;
}

// Members that say nothing: absent, null, and empty where Kubernetes omits the empty.
bool same_member(const Json& a, const Json& b, std::string_view member) {
  const Json& left = a[member];
  const Json& right = b[member];
  auto says_nothing = [](const Json& value) {
    return value.is_null() || (value.is_array() && value.empty());
  };
  return left == right || (says_nothing(left) && says_nothing(right));
}

bool same_affinity_in_use(const Json& placement, const Json& applied, std::string_view observed) {
  if (observed.empty()) return false;
  const Json* now = find_term(placement, observed);
  const Json* then = find_term(applied, observed);
  return now != nullptr && then != nullptr && *now == *then;
}

std::optional<WallTime> time_of(const Json& value) {
  if (!value.is_string()) return std::nullopt;
  auto time = parse_time(value.as_string());
  if (!time) return std::nullopt;
  return *time;
}

}  // namespace

bool placement_changed(const Json& placement, std::string_view applied, std::string_view observed_affinity) {
  if (applied.empty()) return true;
  auto before = Json::parse(applied);
  if (!before || !before->is_object()) return false;
  if (placement == *before) return false;
  constexpr std::array<std::string_view, 4> kMembers = {"clusterAffinity", "clusterTolerations",
                                                        "spreadConstraints", "replicaScheduling"};
  bool same = std::all_of(kMembers.begin(), kMembers.end(),
                          [&](std::string_view member) { return same_member(placement, *before, member); });
  if (!same) return true;
  if (same_member(placement, *before, "clusterAffinities") &&
      same_member(placement, *before, "workloadAffinity")) {
    return false;
  }
  return !same_affinity_in_use(placement, *before, observed_affinity);
}

bool replicas_changed(const Json& spec, bool multiple_pod_templates) {
  const Json& scheduling = spec["placement"]["replicaScheduling"];
  if (!scheduling.is_object()) return false;
  if (multiple_pod_templates && !spec["components"].empty() && spec["clusters"].empty()) return true;
  std::int64_t wanted = spec["replicas"].as_int();
  std::span<const Json> targets = spec["clusters"].elements();
  if (scheduling["replicaSchedulingType"].as_string() == "Duplicated") {
    return std::any_of(targets.begin(), targets.end(),
                       [&](const Json& target) { return target["replicas"].as_int() != wanted; });
  }
  std::int64_t sum = 0;
  for (const Json& target : targets) sum += target["replicas"].as_int();
  return sum != wanted;
}

bool reschedule_required(const Json& spec, const Json& status) {
  auto triggered = time_of(spec["rescheduleTriggeredAt"]);
  auto scheduled = time_of(status["lastScheduledTime"]);
  return triggered && scheduled && *triggered > *scheduled;
}

bool is_workload(const Json& spec) {
  return spec["replicas"].as_int() > 0 || spec["replicaRequirements"].is_object() ||
         !spec["components"].empty();
}

std::string_view schedule_reason(const Json& binding, bool targets_deleting, bool multiple_pod_templates) {
  const Json& spec = binding["spec"];
  const Json& status = binding["status"];
  std::string_view applied =
      binding["metadata"]["annotations"][api::annotations::kAppliedPlacement].as_string();
  if (placement_changed(spec["placement"], applied, status["schedulerObservingAffinityName"].as_string())) {
    return "placement changed";
  }
  if (replicas_changed(spec, multiple_pod_templates)) return "replicas changed";
  if (reschedule_required(spec, status)) return "rescheduling was triggered";
  const Json& scheduling = spec["placement"]["replicaScheduling"];
  bool duplicated =
      !scheduling.is_object() || scheduling["replicaSchedulingType"].as_string() == "Duplicated";
  if (!is_workload(spec)) return "not a workload";
  if (duplicated) return "replicas are duplicated";
  if (targets_deleting) return "a target cluster is being deleted";
  return {};
}

ScheduledCondition scheduled_condition(std::span<const Failure> failures) {
  if (failures.empty()) return {true, "Success", "Binding has been scheduled successfully.", true};
  auto any = [&](FailureKind kind) {
    return std::any_of(failures.begin(), failures.end(), [&](const Failure& f) { return f.kind == kind; });
  };
  // Go prints an aggregate as [a, b], each text once, and one error as it is.
  std::vector<std::string_view> texts;
  for (const Failure& failure : failures) {
    if (std::find(texts.begin(), texts.end(), failure.message) == texts.end())
      texts.push_back(failure.message);
  }
  std::string message;
  for (std::string_view text : texts) {
    if (!message.empty()) message += ", ";
    message += text;
  }
  if (texts.size() > 1) message = "[" + message + "]";
  bool single = failures.size() == 1;
  if (single && any(FailureKind::Unschedulable)) return {false, "Unschedulable", std::move(message), false};
  if (any(FailureKind::NoClusterFit)) return {false, "NoClusterFit", std::move(message), single};
  return {false, "SchedulerError", std::move(message), false};
}

}  // namespace flotilla::scheduler
