// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "core/api/multi_cluster_version.hpp"
#include "core/api/quota_usage.hpp"
#include "core/base/clock.hpp"
#include "core/controllers/cluster_health/cluster_taints.hpp"
#include "core/controllers/cluster_status/resource_summary.hpp"
#include "core/controllers/eviction/eviction_plan.hpp"
#include "tests/compat/topic.hpp"

namespace flotilla::compat {

namespace {

using api::Json;

Json failure(const Error& error) {
  return Json::object({{"error", Json::object({{"message", error.message()}})}});
}

std::int64_t whole_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

WallTime time_of(const Json& input) {
  auto parsed = parse_time(input["now"].as_string());
  return parsed ? *parsed : SystemClock().now();
}

Json cluster_summary(const Json& input) {
  auto nodes = input["nodes"].elements();
  auto summary = controllers::resource_summary(input["cluster"]["spec"], nodes, input["pods"].elements());
  if (!summary) return failure(summary.error());
  summary->set("nodeSummary", controllers::node_summary(nodes));
  return *summary;
}

Json cluster_taints(const Json& input) {
  const Json& cluster = input["cluster"];
  WallTime now = SystemClock().now();
  std::string_view op = input["op"].as_string();
  if (op == "byCondition") return Json::object({{"taints", controllers::taints_by_condition(cluster, now)}});
  if (op == "taintPolicy") {
    return Json::object(
        {{"taints", controllers::taints_by_policies(cluster, input["policies"].elements(), now)}});
  }
  return Json::object(
      {{"remedyActions", controllers::remedy_actions(cluster, input["remedies"].elements())}});
}

Json assess(const Json& input) {
  controllers::EvictionView view{.tasks = input["tasks"].elements(),
                                 .clusters = input["clusters"].elements(),
                                 .aggregated_status = input["aggregatedStatus"].elements(),
                                 .scheduled = input["scheduled"].as_bool(),
                                 .timeout = std::chrono::seconds(input["timeoutSeconds"].as_int())};
  auto assessment = controllers::assess_evictions(view, time_of(input));
  if (!assessment) return failure(assessment.error());
  return Json::object(
      {{"kept", assessment->kept},
       {"evicted", Json::strings(assessment->evicted)},
       {"requeueAfterSeconds", whole_seconds(assessment->look_again_in.value_or(Duration{}))}});
}

Json tolerate(const Json& input) {
  auto verdict =
      controllers::judge_taints(input["taints"].elements(), input["tolerations"].elements(), time_of(input));
  if (!verdict) return failure(verdict.error());
  Json answer = Json::object({{"noExecuteTaints", verdict->taints},
                              {"allTolerated", verdict->all_tolerated},
                              {"used", Json::array()}});
  for (const Json* toleration : verdict->used) answer["used"].push_back(*toleration);
  if (verdict->all_tolerated) {
    answer.set("tolerationSeconds", verdict->remaining ? whole_seconds(*verdict->remaining) : -1);
  }
  return answer;
}

Json eviction(const Json& input) {
  std::string_view op = input["op"].as_string();
  if (op == "assess") return assess(input);
  if (op == "tolerate") return tolerate(input);
  return controllers::evict(input["spec"], input["cluster"].as_string(), input["options"]);
}

Json quota_usage(const Json& input) {
  auto usage = api::quota_usage(input["resourceBinding"]["spec"]);
  if (!usage) return failure(usage.error());
  return Json::object({{"usage", usage->to_json()}});
}

Json state_preservation(const Json& input) {
  auto labels = controllers::preserved_label_state(input["statePreservation"], input["status"]);
  if (!labels) return failure(labels.error());
  return Json::object({{"labels", *labels}});
}

Json search(const Json& input) {
  std::string_view op = input["op"].as_string();
  std::string_view encoded = input["encoded"].as_string();
  if (op == "encodeRV") {
    api::MultiClusterVersion version;
    for (auto [cluster, value] : input["resourceVersions"].members()) version.set(cluster, value.as_string());
    return Json::object({{"encoded", version.encode()}});
  }
  if (op == "decodeRV") {
    auto version = api::MultiClusterVersion::decode(encoded);
    Json versions = Json::object();
    for (const auto& [cluster, value] : version.versions()) versions.set(cluster, value);
    return Json::object({{"resourceVersions", versions}, {"zero", version.is_zero()}});
  }
  if (op == "encodeContinue") {
    api::MultiClusterContinue token{std::string(input["rv"].as_string()),
                                    std::string(input["cluster"].as_string()),
                                    std::string(input["continue"].as_string())};
    return Json::object({{"encoded", token.encode()}});
  }
  auto token = api::MultiClusterContinue::decode(encoded);
  return Json::object(
      {{"rv", token.resource_version}, {"cluster", token.cluster}, {"continue", token.token}});
}

constexpr std::array kTopics = {
    Topic{"cluster_summary", cluster_summary},
    Topic{"cluster_taints", cluster_taints},
    Topic{"eviction", eviction},
    Topic{"quota_usage", quota_usage},
    Topic{"state_preservation", state_preservation},
    Topic{"search", search},
};

}  // namespace

std::span<const Topic> cluster_topics() {
  return kTopics;
}

}  // namespace flotilla::compat
