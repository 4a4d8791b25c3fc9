// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/eviction/application_failover.hpp"

#include <algorithm>

#include "core/controllers/eviction/eviction_plan.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

constexpr std::int64_t kDefaultToleration = 300;

template <typename Predicate>
bool any_of(const Json& list, Predicate predicate) {
  const auto elements = list.elements();
  return std::any_of(elements.begin(), elements.end(), predicate);
}

bool is_target(const Json& spec, std::string_view cluster) {
  return any_of(spec["clusters"], [&](const Json& one) { return one["name"].as_string() == cluster; });
}

bool is_evicting(const Json& spec, std::string_view cluster) {
  return any_of(spec["gracefulEvictionTasks"],
                [&](const Json& one) { return one["fromCluster"].as_string() == cluster; });
}

// Adds what carries the workload's state over, where the behaviour asks for it.
Status preserve_state(const Json& binding, std::string_view cluster, const Json& behavior, Json& task) {
  if (behavior["statePreservation"]["rules"].empty()) return {};
  const Json* status = nullptr;
  for (const Json& item : binding["status"]["aggregatedStatus"].elements()) {
    if (item["clusterName"].as_string() == cluster) status = item.find("status");
  }
  if (status == nullptr) {
    return Error(Code::Unavailable, "the application status has not yet been collected from Cluster(" +
                                        std::string(cluster) + ")");
  }
  auto labels = preserved_label_state(behavior["statePreservation"], *status);
  if (!labels) return labels.error();
  if (labels->empty()) return {};
  Json before = Json::array();
  for (const Json& target : binding["spec"]["clusters"].elements()) before.push_back(target["name"]);
  task.set("preservedLabelState", *std::move(labels));
  task.set("clustersBeforeFailover", std::move(before));
  return {};
}

}  // namespace

bool wants_application_failover(const Json& binding) {
  const Json& spec = binding["spec"];
  return spec["failover"]["application"].is_object() && spec["propagateDeps"].as_bool() &&
         !binding["status"]["aggregatedStatus"].empty();
}

ApplicationVerdict judge_application(const Json& binding, UnhealthySince& since, WallTime now) {
  ApplicationVerdict verdict;
  const Json& spec = binding["spec"];
  const auto toleration = std::chrono::seconds(
      spec["failover"]["application"]["decisionConditions"]["tolerationSeconds"].as_int(kDefaultToleration));
  UnhealthySince still;
  for (const Json& item : binding["status"]["aggregatedStatus"].elements()) {
    const std::string cluster(item["clusterName"].as_string());
    if (item["health"].as_string() != "Unhealthy" || is_evicting(spec, cluster)) continue;
    if (!is_target(spec, cluster)) continue;
    const auto known = since.find(cluster);
    const WallTime first = known == since.end() ? now : known->second;
    still.emplace(cluster, first);
    const Duration left = first + toleration - now;
    if (known != since.end() && left < Duration::zero()) {
      verdict.evict.push_back(cluster);
    } else {
      // Karmada counts in whole seconds and looks when the last has begun; a moment later it is over.
      const Duration next = std::max<Duration>(left, Duration::zero()) + std::chrono::milliseconds(1);
      verdict.look_again_in = std::min(next, verdict.look_again_in.value_or(next));
    }
  }
  since = std::move(still);
  return verdict;
}

Result<Json> application_task(const Json& binding, std::string_view cluster, const api::FeatureGates& gates) {
  const Json& behavior = binding["spec"]["failover"]["application"];
  const std::string_view mode = behavior["purgeMode"].as_string();
  const bool cluster_scoped = binding["kind"].as_string() == "ClusterResourceBinding";
  Json task =
      Json::object({{"reason", kApplicationFailure},
                    {"producer", cluster_scoped ? "cluster-resource-binding-application-failover-controller"
                                                : "resource-binding-application-failover-controller"},
                    {"purgeMode", behavior["purgeMode"]}});
  if (gates.stateful_failover_injection) {
    if (const Status kept = preserve_state(binding, cluster, behavior, task); !kept) return kept.error();
  }
  const bool gracefully = mode == "Gracefully" || mode == "Graciously";
  if ((gracefully || mode == "Never") && !gates.graceful_eviction) {
    return invalid("GracefulEviction featureGate must be enabled when purgeMode is " + std::string(mode));
  }
  if (gracefully && behavior["gracePeriodSeconds"].is_int())
    task.set("gracePeriodSeconds", behavior["gracePeriodSeconds"]);
  if (mode == "Never") task.set("suppressDeletion", true);
  return task;
}

Result<Json> taint_task(const Json& binding, std::string_view cluster, std::string_view default_mode,
                        const api::FeatureGates& gates) {
  const Json& behavior = binding["spec"]["failover"]["cluster"];
  std::string_view mode = behavior.is_object() ? behavior["purgeMode"].as_string() : default_mode;
  if (mode.empty()) mode = "Gracefully";
  Json task =
      Json::object({{"reason", "TaintUntolerated"}, {"producer", kTaintManager}, {"purgeMode", mode}});
  if (gates.stateful_failover_injection) {
    if (const Status kept = preserve_state(binding, cluster, behavior, task); !kept) return kept.error();
  }
  if (mode == "Never") task.set("suppressDeletion", true);
  return task;
}

}  // namespace flotilla::controllers
