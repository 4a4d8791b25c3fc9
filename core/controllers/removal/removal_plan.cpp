// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/removal/removal_plan.hpp"

#include <algorithm>

#include "core/api/binding.hpp"
#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"
#include "core/api/object.hpp"
#include "core/scheduler/trigger.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using api::RemovalCause;
using api::RemovalReason;

bool is_as_good(const Copy& other, const Copy& going) {
  if (!other.wanted || !other.applied || !other.reported) return false;
  return other.health == CopyHealth::Healthy ||
         (other.health == CopyHealth::Unknown && going.health != CopyHealth::Healthy);
}

std::optional<Hold> hold_copy(const RemovalView& view) {
  const auto going = std::find_if(view.copies.begin(), view.copies.end(),
                                  [&](const Copy& copy) { return copy.cluster == view.cluster; });
  if (going == view.copies.end() || !going->applied) return std::nullopt;  // nothing of ours is there
  if (!view.has_targets) {
    return Hold{"NoReplacement", "no cluster is left to run it; the copy in " + going->cluster + " is kept"};
  }
  if (going->health == CopyHealth::Unhealthy) return std::nullopt;
  if (std::any_of(view.copies.begin(), view.copies.end(),
                  [&](const Copy& copy) { return is_as_good(copy, *going); })) {
    return std::nullopt;
  }
  return Hold{"LastHealthyCopy", "no other copy is healthy yet; the one in " + going->cluster + " is kept"};
}

std::optional<Hold> hold_undo(const RemovalView& view, WallTime now) {
  const auto since = parse_time(view.cause.since);
  if (view.undo_window <= Duration::zero() || !since) return std::nullopt;
  const Duration left = *since + view.undo_window - now;
  if (left <= Duration::zero()) return std::nullopt;
  return Hold{"UndoWindow", "held until " + format_time(now + left) + " in case the decision is reverted",
              left};
}

const Json* directly_purging_task(const Json& binding, std::string_view cluster) {
  for (const Json& task : binding["spec"]["gracefulEvictionTasks"].elements()) {
    if (task["fromCluster"].as_string() == cluster && api::purges_directly(task)) return &task;
  }
  return nullptr;
}

bool is_claimed(const Json& binding) {
  return !api::label_of(binding, api::labels::kPropagationPolicyId).empty() ||
         !api::label_of(binding, api::labels::kClusterPropagationPolicyId).empty();
}

}  // namespace

Copy copy_of(const Json& work, std::string_view cluster, bool wanted, bool cluster_ready) {
  Copy copy;
  copy.cluster = cluster;
  copy.wanted = wanted;
  const Json& status = work["status"];
  const auto statuses = status["manifestStatuses"].elements();
  const bool now_applied = api::is_condition_true(status["conditions"], api::conditions::kApplied);
  copy.applied = now_applied || !statuses.empty();
  copy.reported = cluster_ready && now_applied && !statuses.empty();
  if (!copy.reported) return copy;
  const auto all = [&](std::string_view health) {
    return std::all_of(statuses.begin(), statuses.end(),
                       [&](const Json& one) { return one["health"].as_string() == health; });
  };
  const auto any = [&](std::string_view health) {
    return std::any_of(statuses.begin(), statuses.end(),
                       [&](const Json& one) { return one["health"].as_string() == health; });
  };
  copy.health = all("Healthy")     ? CopyHealth::Healthy
                : any("Unhealthy") ? CopyHealth::Unhealthy
                                   : CopyHealth::Unknown;
  return copy;
}

std::optional<Hold> hold_removal(const RemovalView& view, WallTime now) {
  if (api::is_asked_for(view.cause.reason)) return std::nullopt;
  if (!view.facts_known) return Hold{"FactsUnknown", "not everything has been read since the start"};
  if (view.cause.reason == RemovalReason::PurgedDirectly) return std::nullopt;
  if (auto hold = hold_undo(view, now)) return hold;
  if (auto hold = hold_copy(view)) return hold;
  if (!view.still_required_by.empty()) {
    return Hold{"StillRequired",
                view.still_required_by + " depends on it and still runs in " + std::string(view.cluster)};
  }
  return std::nullopt;
}

RemovalCause removal_cause(const Json& binding, std::string_view cluster, const Json* cluster_object,
                           WallTime now) {
  const std::string name(cluster);
  const std::string at = format_time(now);
  if (cluster_object == nullptr || (*cluster_object)["metadata"]["deletionTimestamp"].is_string()) {
    return {RemovalReason::ClusterRemoved, "user", "cluster " + name + " is being removed", at, {}};
  }
  if (api::is_removal_approved(binding, cluster)) {
    return {RemovalReason::Approved,
            "user",
            "annotation " + std::string(api::annotations::kApproveRemoval) + " lets it go",
            at,
            {}};
  }
  if (const Json* task = directly_purging_task(binding, cluster)) {
    return {RemovalReason::PurgedDirectly,
            std::string((*task)["producer"].as_string()),
            "eviction " + std::string((*task)["reason"].as_string()) + " with purgeMode Directly",
            std::string((*task)["creationTimestamp"].as_string(at)),
            {}};
  }
  const Json& spec = binding["spec"];
  if (spec["clusters"].empty() && spec["replicas"].as_int() == 0 && scheduler::is_workload(spec)) {
    return {RemovalReason::ScaledToZero, "user", "the template asks for no replicas", at, {}};
  }
  if (!is_claimed(binding) && spec["requiredBy"].empty()) {
    return {RemovalReason::NotRequired, "user", "nothing refers to it and no policy claims it", at, {}};
  }
  if (spec["clusters"].empty() && !spec["requiredBy"].empty()) {
    return {RemovalReason::Rescheduled, "dependencies", "who requires it has left cluster " + name, at, {}};
  }
  if (auto recorded = api::removal_cause_of_binding(binding, cluster)) return *std::move(recorded);
  if (spec["clusters"].empty()) {
    return {RemovalReason::NoClusterFits, {}, "the binding has no target cluster", at, {}};
  }
  return {RemovalReason::Rescheduled, {}, "the binding does not name cluster " + name + " any more", at, {}};
}

RemovalCause removal_cause_of_deletion(const Json& binding, bool template_exists, WallTime now) {
  const std::string since(binding["metadata"]["deletionTimestamp"].as_string(format_time(now)));
  const Json& resource = binding["spec"]["resource"];
  const std::string what =
      std::string(resource["kind"].as_string()) + " " + std::string(resource["name"].as_string());
  if (template_exists) {
    return {RemovalReason::BindingDeleted, "user", "the binding of " + what + " was deleted", since, {}};
  }
  return {RemovalReason::TemplateDeleted, "user", what + " was deleted", since, {}};
}

}  // namespace flotilla::controllers
