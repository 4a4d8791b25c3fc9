// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/remedy/remedy_plan.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "core/api/conditions.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {

using api::Json;

namespace {

bool holds(const Json& match, const Json& conditions) {
  const Json& wanted = match["clusterConditionMatch"];
  if (!wanted.is_object()) return false;
  const Json* condition = api::find_condition(conditions, wanted["conditionType"].as_string());
  if (condition == nullptr) return false;
  const bool equal = wanted["conditionStatus"].as_string() == (*condition)["status"].as_string();
  const std::string_view how = wanted["operator"].as_string();
  return (how == "Equal" && equal) || (how == "NotEqual" && !equal);
}

bool decides(const Json& remedy, const Json& conditions) {
  const Json& matches = remedy["spec"]["decisionMatches"];
  if (matches.is_null()) return true;
  const auto all = matches.elements();
  return std::any_of(all.begin(), all.end(), [&](const Json& match) { return holds(match, conditions); });
}

}  // namespace

bool remedy_concerns(const Json& remedy, std::string_view cluster) {
  const Json& affinity = remedy["spec"]["clusterAffinity"];
  if (affinity.is_null()) return true;
  const auto names = affinity["clusterNames"].elements();
  return std::any_of(names.begin(), names.end(),
                     [&](const Json& name) { return name.as_string() == cluster; });
}

Json remedy_actions(const std::vector<Json>& remedies, const Json& cluster) {
  std::set<std::string, std::less<>> actions;
  for (const Json& remedy : remedies) {
    if (!remedy_concerns(remedy, api::name_of(cluster))) continue;
    if (!decides(remedy, cluster["status"]["conditions"])) continue;
    for (const Json& action : remedy["spec"]["actions"].elements()) actions.emplace(action.as_string());
  }
  Json list = Json::array();
  for (const std::string& action : actions) list.push_back(action);
  return list;
}

}  // namespace flotilla::controllers
