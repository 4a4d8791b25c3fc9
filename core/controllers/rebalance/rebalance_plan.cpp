// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/rebalance/rebalance_plan.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace flotilla::controllers {

using api::Json;

namespace {

std::string sort_key(const Json& workload) {
  std::string key;
  for (const std::string_view member : {"apiVersion", "kind", "namespace", "name"}) {
    if (!key.empty() || member != "apiVersion") key += ' ';
    key += workload[member].as_string();
  }
  return key;
}

}  // namespace

Json observed_workloads(const Json& rebalancer) {
  std::vector<Json> wanted;
  for (const Json& workload : rebalancer["spec"]["workloads"].elements()) {
    if (std::find(wanted.begin(), wanted.end(), workload) == wanted.end()) wanted.push_back(workload);
  }
  std::vector<Json> observed;
  for (const Json& known : rebalancer["status"]["observedWorkloads"].elements()) {
    const auto it = std::find(wanted.begin(), wanted.end(), known["workload"]);
    if (it != wanted.end()) {
      wanted.erase(it);
    } else if (known["result"].as_string() != "Successful") {
      continue;
    }
    observed.push_back(known);
  }
  for (Json& workload : wanted) observed.push_back(Json::object({{"workload", std::move(workload)}}));
  std::sort(observed.begin(), observed.end(),
            [](const Json& a, const Json& b) { return sort_key(a["workload"]) < sort_key(b["workload"]); });
  Json list = Json::array();
  for (Json& entry : observed) list.push_back(std::move(entry));
  return list;
}

bool is_settled(const Json& observed) {
  return !observed["result"].as_string().empty();
}

void succeed(Json& observed) {
  observed.set("result", "Successful");
}

void fail_for_missing_binding(Json& observed) {
  observed.set("result", "Failed");
  observed.set("reason", "ReferencedBindingNotFound");
}

bool trigger_reschedule(Json& binding, const Json& rebalancer) {
  const Json& created = rebalancer["metadata"]["creationTimestamp"];
  const auto asked = parse_time(created.as_string());
  const auto known = parse_time(std::as_const(binding)["spec"]["rescheduleTriggeredAt"].as_string());
  if (!asked || (known && *known >= *asked)) return false;
  binding["spec"].set("rescheduleTriggeredAt", created);
  return true;
}

Json rebalancer_status(const Json& rebalancer, Json workloads, bool retries, WallTime now) {
  const Json& before = rebalancer["status"];
  Json status = Json::object({{"observedWorkloads", std::move(workloads)},
                              {"observedGeneration", rebalancer["metadata"]["generation"]}});
  if (before.contains("finishTime")) status.set("finishTime", before["finishTime"]);
  if (!retries && !(status == before)) status.set("finishTime", format_time(now));
  return status;
}

std::optional<Duration> time_left(const Json& rebalancer, WallTime now) {
  const Json& seconds = rebalancer["spec"]["ttlSecondsAfterFinished"];
  const auto finished = parse_time(rebalancer["status"]["finishTime"].as_string());
  if (!seconds.is_int() || !finished) return std::nullopt;
  return *finished + std::chrono::seconds(seconds.as_int()) - now;
}

}  // namespace flotilla::controllers
