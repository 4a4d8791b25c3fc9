// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/eviction/eviction_plan.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/api/binding.hpp"
#include "core/api/json_path.hpp"
#include "core/api/taint.hpp"
#include "core/scheduler/trigger.hpp"

namespace flotilla::controllers {

namespace {

using std::chrono::seconds;

Duration timeout_of(const api::Json& task, const EvictionView& view) {
  const api::Json& grace = task["gracePeriodSeconds"];
  return grace.is_int() ? Duration(seconds(grace.as_int())) : view.timeout;
}

bool are_targets_healthy(const EvictionView& view) {
  return std::all_of(view.clusters.begin(), view.clusters.end(), [&](const api::Json& target) {
    return std::any_of(view.aggregated_status.begin(), view.aggregated_status.end(),
                       [&](const api::Json& item) {
                         return item["clusterName"].as_string() == target["name"].as_string() &&
                                item["health"].as_string() == "Healthy";
                       });
  });
}

struct Target {
  std::string_view name;
  std::int64_t replicas;
};

api::Json to_json(const Target& target) {
  api::Json entry = api::Json::object({{"name", target.name}});
  if (target.replicas != 0) entry.set("replicas", target.replicas);
  return entry;
}

bool has_task(const api::Json& tasks, std::string_view cluster) {
  auto list = tasks.elements();
  return std::any_of(list.begin(), list.end(),
                     [&](const api::Json& task) { return task["fromCluster"].as_string() == cluster; });
}

api::Json make_task(const Target& from, const api::Json& options) {
  api::Json task = api::Json::object({{"fromCluster", from.name}});
  if (from.replicas > 0) task.set("replicas", from.replicas);
  for (std::string_view text : {"purgeMode", "reason", "message", "producer"}) {
    if (!options[text].as_string().empty()) task.set(text, options[text]);
  }
  for (std::string_view member :
       {"gracePeriodSeconds", "suppressDeletion", "preservedLabelState", "clustersBeforeFailover"}) {
    if (!options[member].is_null()) task.set(member, options[member]);
  }
  return task;
}

// How long one toleration still holds against one taint; nothing is for ever. A taint that does not say since
// when sets no time.
Result<std::optional<Duration>> time_left(const api::Json& toleration, const api::Json& taint, WallTime now) {
  const api::Json& period = toleration["tolerationSeconds"];
  if (!period.is_int()) return std::optional<Duration>();
  if (period.as_int() <= 0) return std::optional<Duration>(Duration::zero());
  const api::Json& added = taint["timeAdded"];
  if (added.as_string().empty()) return std::optional<Duration>();
  Result<WallTime> since = parse_time(added.as_string());
  if (!since) return std::move(since).context("taint " + std::string(taint["key"].as_string()));
  Duration left = *since + seconds(period.as_int()) - now;
  return std::optional<Duration>(std::max(left, Duration::zero()));
}

}  // namespace

Result<EvictionAssessment> assess_evictions(const EvictionView& view, WallTime now) {
  EvictionAssessment assessment;
  bool replaced = view.scheduled && are_targets_healthy(view);
  for (const api::Json& task : view.tasks) {
    api::Json kept = task;
    WallTime created = now;
    bool is_new = task["creationTimestamp"].as_string().empty();
    if (is_new) {
      kept.set("creationTimestamp", format_time(now));
    } else {
      Result<WallTime> stamp = parse_time(task["creationTimestamp"].as_string());
      if (!stamp) return std::move(stamp).context("eviction task");
      created = *stamp;
    }
    const api::Json& suppress = task["suppressDeletion"];
    Duration left = created + timeout_of(task, view) - now;
    bool over = suppress.is_bool() ? !suppress.as_bool() : left < Duration::zero() || replaced;
    if (over && !is_new) {
      assessment.evicted.emplace_back(task["fromCluster"].as_string());
      continue;
    }
    assessment.kept.push_back(std::move(kept));
    if (suppress.is_bool()) continue;
    assessment.look_again_in = std::min(left, assessment.look_again_in.value_or(left));
  }
  return assessment;
}

api::Json evict(const api::Json& binding_spec, std::string_view cluster, const api::Json& options) {
  api::Json clusters = api::Json::array();
  const api::Json& old_tasks = binding_spec["gracefulEvictionTasks"];
  api::Json tasks = old_tasks.is_array() ? old_tasks : api::Json::array();
  for (const api::Json& entry : binding_spec["clusters"].elements()) {
    Target target{entry["name"].as_string(), entry["replicas"].as_int()};
    if (target.name != cluster) {
      clusters.push_back(to_json(target));
    } else if (!has_task(tasks, cluster)) {
      tasks.push_back(make_task(target, options));
    }
  }
  return api::Json::object({{"clusters", std::move(clusters)}, {"gracefulEvictionTasks", std::move(tasks)}});
}

void set_evicted(api::Json& binding, const api::Json& evicted) {
  api::Json& spec = binding["spec"];
  for (const std::string_view member : {"clusters", "gracefulEvictionTasks"}) {
    if (evicted[member].empty()) {
      spec.erase(member);
    } else {
      spec.set(member, evicted[member]);
    }
  }
}

std::optional<api::Json> withdraw_evictions(const api::Json& spec, std::span<const std::string> recovered) {
  api::Json clusters = spec["clusters"].is_array() ? spec["clusters"] : api::Json::array();
  api::Json tasks = api::Json::array();
  const bool divided =
      spec["placement"]["replicaScheduling"]["replicaSchedulingType"].as_string() == "Divided" &&
      scheduler::is_workload(spec);
  std::int64_t assigned = 0;
  for (const api::Json& target : std::as_const(clusters).elements()) assigned += target["replicas"].as_int();
  for (const api::Json& task : spec["gracefulEvictionTasks"].elements()) {
    const std::string_view from = task["fromCluster"].as_string();
    const std::int64_t replicas = task["replicas"].as_int();
    const bool fits = !divided || assigned + replicas <= spec["replicas"].as_int();
    const bool is_there = !api::purges_directly(task) && task["suppressDeletion"].is_null();
    if (!is_there || !fits || std::find(recovered.begin(), recovered.end(), from) == recovered.end()) {
      tasks.push_back(task);
      continue;
    }
    const auto targets = std::as_const(clusters).elements();
    const bool known = std::any_of(targets.begin(), targets.end(), [&](const api::Json& target) {
      return target["name"].as_string() == from;
    });
    if (known) continue;
    clusters.push_back(to_json(Target{from, replicas}));
    assigned += replicas;
  }
  if (tasks.size() == spec["gracefulEvictionTasks"].size()) return std::nullopt;
  return api::Json::object({{"clusters", std::move(clusters)}, {"gracefulEvictionTasks", std::move(tasks)}});
}

Result<TolerationVerdict> judge_taints(std::span<const api::Json> taints,
                                       std::span<const api::Json> tolerations, WallTime now) {
  TolerationVerdict verdict;
  for (const api::Json& taint : taints) {
    if (taint["effect"].as_string() != api::kNoExecute) continue;
    ++verdict.taints;
    const api::Json* toleration = api::find_toleration(tolerations, taint);
    if (toleration == nullptr) {
      verdict.all_tolerated = false;
      continue;
    }
    verdict.used.push_back(toleration);
    Result<std::optional<Duration>> left = time_left(*toleration, taint, now);
    if (!left) return std::move(left).error();
    if (*left) verdict.remaining = std::min(**left, verdict.remaining.value_or(**left));
  }
  if (!verdict.all_tolerated) verdict.used.clear();
  return verdict;
}

Result<api::Json> preserved_label_state(const api::Json& state_preservation, const api::Json& status) {
  api::Json labels = api::Json::object();
  for (const api::Json& rule : state_preservation["rules"].elements()) {
    std::string text(rule["jsonPath"].as_string());
    Result<api::JsonPath> path = api::JsonPath::parse(text);
    if (!path) return std::move(path).error();
    Result<std::string> value = path->render(status);
    if (!value) return std::move(value).context("failed to execute jsonpath \"" + text + "\"");
    labels.set(rule["aliasLabelName"].as_string(), *value);
  }
  return labels;
}

}  // namespace flotilla::controllers
