// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cluster_health/cluster_taints.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "core/api/cluster_affinity.hpp"
#include "core/api/karmada.hpp"
#include "core/api/taint.hpp"

namespace flotilla::controllers {

namespace {

// Nothing where the cluster has no such condition.
std::optional<std::string_view> condition_status(const api::Json& cluster, std::string_view type) {
  for (const api::Json& condition : cluster.at({"status", "conditions"}).elements()) {
    if (condition["type"].as_string() == type) return condition["status"].as_string();
  }
  return std::nullopt;
}

std::optional<std::size_t> find_taint(const api::Json& taints, const api::Json& wanted) {
  auto list = taints.elements();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (api::is_same_taint(list[i], wanted)) return i;
  }
  return std::nullopt;
}

void add_taint(api::Json& taints, const api::Json& wanted, WallTime now) {
  if (find_taint(taints, wanted)) return;
  api::Json taint = api::Json::object({{"key", wanted["key"]}, {"effect", wanted["effect"]}});
  if (!wanted["value"].as_string().empty()) taint.set("value", wanted["value"]);
  taint.set("timeAdded", format_time(now));
  taints.push_back(std::move(taint));
}

void remove_taint(api::Json& taints, const api::Json& unwanted) {
  if (auto index = find_taint(taints, unwanted)) taints.erase_at(*index);
}

api::Json no_schedule(std::string_view key) {
  return api::Json::object({{"key", key}, {"effect", api::kNoSchedule}});
}

api::Json taints_of(const api::Json& cluster) {
  const api::Json& taints = cluster.at({"spec", "taints"});
  return taints.is_array() ? taints : api::Json::array();
}

bool names(const api::Json& list, std::string_view value) {
  auto elements = list.elements();
  return std::any_of(elements.begin(), elements.end(),
                     [&](const api::Json& element) { return element.as_string() == value; });
}

bool all_hold(const api::Json& cluster, const api::Json& conditions) {
  for (const api::Json& condition : conditions.elements()) {
    auto status = condition_status(cluster, condition["conditionType"].as_string());
    if (!status) return false;
    bool listed = names(condition["statusValues"], *status);
    std::string_view op = condition["operator"].as_string();
    if (!(op == "In" ? listed : op == "NotIn" && !listed)) return false;
  }
  return !conditions.empty();
}

bool is_called_for(const api::Json& cluster, const api::Json& remedy) {
  const api::Json& affinity = remedy.at({"spec", "clusterAffinity"});
  std::string_view name = cluster.at({"metadata", "name"}).as_string();
  if (!affinity.is_null() && !names(affinity["clusterNames"], name)) return false;
  const api::Json& decisions = remedy.at({"spec", "decisionMatches"});
  if (decisions.is_null()) return true;
  for (const api::Json& decision : decisions.elements()) {
    const api::Json& match = decision["clusterConditionMatch"];
    auto status = condition_status(cluster, match["conditionType"].as_string());
    if (!status) continue;
    bool equal = *status == match["conditionStatus"].as_string();
    std::string_view op = match["operator"].as_string();
    if (op == "Equal" ? equal : op == "NotEqual" && !equal) return true;
  }
  return false;
}

}  // namespace

api::Json taints_by_condition(const api::Json& cluster, WallTime now) {
  auto ready = condition_status(cluster, api::conditions::kReady);
  api::Json taints = taints_of(cluster);
  bool unreachable = ready == "Unknown";
  if (unreachable) {
    add_taint(taints, no_schedule(kTaintUnreachable), now);
  } else if (ready) {
    remove_taint(taints, no_schedule(kTaintUnreachable));
  }
  if (ready == "True" || unreachable) {
    remove_taint(taints, no_schedule(kTaintNotReady));
  } else {
    add_taint(taints, no_schedule(kTaintNotReady), now);
  }
  return taints;
}

api::Json taints_by_policies(const api::Json& cluster, std::span<const api::Json> policies, WallTime now) {
  api::Json taints = taints_of(cluster);
  for (const api::Json& policy : policies) {
    const api::Json& spec = policy["spec"];
    const api::Json& targets = spec["targetClusters"];
    if (!targets.is_null() && !api::ClusterAffinity(targets).matches(cluster)) continue;
    if (all_hold(cluster, spec["addOnConditions"])) {
      for (const api::Json& taint : spec["taints"].elements()) add_taint(taints, taint, now);
    }
    if (all_hold(cluster, spec["removeOnConditions"])) {
      for (const api::Json& taint : spec["taints"].elements()) remove_taint(taints, taint);
    }
  }
  return taints;
}

void set_taints(api::Json& cluster, api::Json taints) {
  if (taints.empty()) {
    cluster["spec"].erase("taints");
  } else {
    cluster["spec"].set("taints", std::move(taints));
  }
}

std::string taints_text(const api::Json& cluster) {
  std::string text;
  for (const api::Json& taint : cluster["spec"]["taints"].elements()) {
    text += (text.empty() ? "" : ",") + std::string(taint["key"].as_string()) + ":" +
            std::string(taint["effect"].as_string());
  }
  return text.empty() ? "cluster now does not have taints." : "cluster now has taints(" + text + ").";
}

api::Json remedy_actions(const api::Json& cluster, std::span<const api::Json> remedies) {
  std::set<std::string, std::less<>> actions;
  for (const api::Json& remedy : remedies) {
    if (!is_called_for(cluster, remedy)) continue;
    for (const api::Json& action : remedy.at({"spec", "actions"}).elements()) {
      actions.emplace(action.as_string());
    }
  }
  api::Json list = api::Json::array();
  for (const std::string& action : actions) list.push_back(action);
  return list;
}

}  // namespace flotilla::controllers
