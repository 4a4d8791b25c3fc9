// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cron_autoscale/cron_plan.hpp"

#include <algorithm>

#include "core/base/time_zone.hpp"

namespace flotilla::controllers {

using api::Json;

namespace {

constexpr std::int64_t kHistoryLimit = 3;

Json* find_history(Json& status, std::string_view rule) {
  if (!std::as_const(status)["executionHistories"].is_array()) return nullptr;
  for (Json& history : status["executionHistories"].elements()) {
    if (std::as_const(history)["ruleName"].as_string() == rule) return &history;
  }
  return nullptr;
}

bool names_rule(const Json& spec, std::string_view name) {
  const auto rules = spec["rules"].elements();
  return std::any_of(rules.begin(), rules.end(),
                     [&](const Json& rule) { return rule["name"].as_string() == name; });
}

void put_first(Json& history, std::string_view member, Json entry, std::int64_t limit) {
  const Json known = std::as_const(history)[member];
  Json list = Json::array({std::move(entry)});
  for (const Json& old : known.elements()) {
    if (static_cast<std::int64_t>(list.size()) >= limit) break;
    list.push_back(old);
  }
  history.set(member, std::move(list));
}

}  // namespace

Result<WallTime> next_execution(const Json& rule, WallTime after) {
  const auto schedule = CronSchedule::parse(rule["schedule"].as_string());
  if (!schedule) return schedule.error();
  const auto zone = TimeZone::find(rule["timeZone"].as_string());
  if (!zone) return zone.error();
  const auto next = next_in_zone(*schedule, *zone, after);
  if (!next) return invalid("the schedule \"" + std::string(rule["schedule"].as_string()) + "\" never comes");
  return *next;
}

void set_next_execution(Json& status, std::string_view rule, std::optional<WallTime> next) {
  Json* history = find_history(status, rule);
  if (history == nullptr) {
    Json& histories = status["executionHistories"];
    histories.push_back(Json::object({{"ruleName", rule}}));
    history = &histories.elements().back();
  }
  if (next) {
    history->set("nextExecutionTime", format_time(*next));
  } else {
    history->erase("nextExecutionTime");
  }
}

bool drop_old_histories(Json& status, const Json& spec) {
  const Json known = std::as_const(status)["executionHistories"];
  Json kept = Json::array();
  for (const Json& history : known.elements()) {
    if (names_rule(spec, history["ruleName"].as_string())) kept.push_back(history);
  }
  if (kept.size() == known.size()) return false;
  if (kept.empty()) {
    status.erase("executionHistories");
  } else {
    status.set("executionHistories", std::move(kept));
  }
  return true;
}

bool record_execution(Json& status, const Json& rule, const Execution& execution) {
  Json* history = find_history(status, rule["name"].as_string());
  if (history == nullptr) return false;
  const Json scheduled = std::as_const(*history)["nextExecutionTime"];
  Json entry = Json::object({{"executionTime", format_time(execution.now)}});
  if (scheduled.is_string()) entry.set("scheduleTime", scheduled);
  if (!execution.failure.empty()) {
    entry.set("message", execution.failure);
    const std::int64_t limit = rule["failedHistoryLimit"].as_int(kHistoryLimit);
    if (limit > 0) put_first(*history, "failedExecutions", std::move(entry), limit);
  } else {
    constexpr std::pair<std::string_view, std::string_view> kApplied[] = {
        {"targetReplicas", "appliedReplicas"},
        {"targetMinReplicas", "appliedMinReplicas"},
        {"targetMaxReplicas", "appliedMaxReplicas"}};
    for (const auto& [wanted, applied] : kApplied) {
      if (rule[wanted].is_int()) entry.set(applied, rule[wanted]);
    }
    put_first(*history, "successfulExecutions", std::move(entry),
              rule["successfulHistoryLimit"].as_int(kHistoryLimit));
  }
  if (execution.next) history->set("nextExecutionTime", format_time(*execution.next));
  return true;
}

bool set_bounds(Json& autoscaler, const Json& rule) {
  bool changed = false;
  constexpr std::pair<std::string_view, std::string_view> kBounds[] = {{"targetMaxReplicas", "maxReplicas"},
                                                                       {"targetMinReplicas", "minReplicas"}};
  for (const auto& [wanted, bound] : kBounds) {
    if (!rule[wanted].is_int() || std::as_const(autoscaler)["spec"][bound] == rule[wanted]) continue;
    autoscaler["spec"].set(bound, rule[wanted]);
    changed = true;
  }
  return changed;
}

}  // namespace flotilla::controllers
