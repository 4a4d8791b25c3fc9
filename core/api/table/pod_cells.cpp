// SPDX-License-Identifier: Apache-2.0
#include "core/api/table/pod_cells.hpp"

#include <optional>
#include <string>

#include "core/api/table/table.hpp"

namespace flotilla::api::table {
namespace {

std::string str(const Json& value) {
  return std::string(value.as_string());
}

// What the pod's containers say, in the order in which kubectl looks at them.
struct Summary {
  std::string reason;
  std::int64_t restarts = 0;
  std::size_t ready = 0;
  std::optional<WallTime> last_restart;
};

std::string terminated_reason(const Json& terminated, std::string_view prefix) {
  const std::string reason = str(terminated["reason"]);
  if (!reason.empty()) return std::string(prefix) + reason;
  if (terminated["signal"].as_int() != 0)
    return std::string(prefix) + "Signal:" + std::to_string(terminated["signal"].as_int());
  return std::string(prefix) + "ExitCode:" + std::to_string(terminated["exitCode"].as_int());
}

void note_restart(Summary& summary, const Json& status) {
  summary.restarts += status["restartCount"].as_int();
  auto finished = parse_time(status.at({"lastState", "terminated", "finishedAt"}).as_string());
  if (finished && (!summary.last_restart || *finished > *summary.last_restart))
    summary.last_restart = *finished;
}

// True while an init container keeps the pod from starting.
bool read_init_containers(const Cell& cell, Summary& summary) {
  const Json& statuses = cell.at(".status.initContainerStatuses");
  std::size_t index = 0;
  for (const Json& status : statuses.elements()) {
    note_restart(summary, status);
    const Json& state = status["state"];
    const Json& terminated = state["terminated"];
    ++index;
    if (terminated.is_object() && terminated["exitCode"].as_int() == 0) continue;
    if (terminated.is_object()) {
      summary.reason = terminated_reason(terminated, "Init:");
    } else if (const std::string waiting = str(state["waiting"]["reason"]);
               !waiting.empty() && waiting != "PodInitializing") {
      summary.reason = "Init:" + waiting;
    } else {
      summary.reason =
          "Init:" + std::to_string(index - 1) + "/" + std::to_string(cell.at(".spec.initContainers").size());
    }
    return true;
  }
  return false;
}

void read_containers(const Cell& cell, Summary& summary) {
  const auto statuses = cell.at(".status.containerStatuses").elements();
  summary.restarts = 0;
  summary.last_restart.reset();
  bool running = false;
  for (auto at = statuses.rbegin(); at != statuses.rend(); ++at) {
    const Json& status = *at;
    note_restart(summary, status);
    const Json& state = status["state"];
    const std::string waiting = str(state["waiting"]["reason"]);
    if (!waiting.empty()) {
      summary.reason = waiting;
    } else if (state["terminated"].is_object()) {
      summary.reason = terminated_reason(state["terminated"], "");
    } else if (status["ready"].as_bool() && state["running"].is_object()) {
      running = true;
      ++summary.ready;
    }
  }
  if (summary.reason != "Completed" || !running) return;
  bool ready = false;
  for (const Json& one : cell.at(".status.conditions").elements()) {
    ready = ready || (one["type"].as_string() == "Ready" && one["status"].as_string() == "True");
  }
  summary.reason = ready ? "Running" : "NotReady";
}

Summary summarise(const Cell& cell) {
  Summary summary;
  summary.reason = str(cell.at(".status.phase"));
  if (const std::string reason = str(cell.at(".status.reason")); !reason.empty()) summary.reason = reason;
  for (const Json& one : cell.at(".status.conditions").elements()) {
    if (one["type"].as_string() == "PodScheduled" && one["reason"].as_string() == "SchedulingGated")
      summary.reason = "SchedulingGated";
  }
  if (!read_init_containers(cell, summary)) read_containers(cell, summary);
  if (!cell.at(".metadata.deletionTimestamp").is_null()) {
    summary.reason = cell.at(".status.reason").as_string() == "NodeLost" ? "Unknown" : "Terminating";
  }
  return summary;
}

}  // namespace

Json pod_ready(const Cell& cell) {
  return std::to_string(summarise(cell).ready) + "/" + std::to_string(cell.at(".spec.containers").size());
}

Json pod_status(const Cell& cell) {
  return summarise(cell).reason;
}

Json pod_restarts(const Cell& cell) {
  const Summary summary = summarise(cell);
  std::string text = std::to_string(summary.restarts);
  if (summary.restarts != 0 && summary.last_restart)
    text += " (" + human_duration(cell.now - *summary.last_restart) + " ago)";
  return text;
}

Json pod_ip(const Cell& cell) {
  const Json& first = cell.at(".status.podIPs").element(0)["ip"];
  const std::string address = first.is_null() ? str(cell.at(".status.podIP")) : str(first);
  return address.empty() ? "<none>" : address;
}

Json pod_gates(const Cell& cell) {
  const Json& gates = cell.at(".spec.readinessGates");
  if (gates.empty()) return "<none>";
  std::size_t met = 0;
  for (const Json& gate : gates.elements()) {
    for (const Json& one : cell.at(".status.conditions").elements()) {
      if (one["type"] == gate["conditionType"]) {
        met += one["status"].as_string() == "True" ? 1 : 0;
        break;
      }
    }
  }
  return std::to_string(met) + "/" + std::to_string(gates.size());
}

}  // namespace flotilla::api::table
