// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "core/interpreter/count_fields.hpp"
#include "core/interpreter/fields.hpp"
#include "core/interpreter/native_kinds.hpp"

namespace flotilla::interpreter {

namespace {

bool has_condition(const api::Json& status, std::string_view type) {
  for (const api::Json& condition : status["conditions"].elements()) {
    if (condition["type"].as_string() == type && condition["status"].as_string() == "True") return true;
  }
  return false;
}

bool is_finished(const api::Json& status) {
  return has_condition(status, "Complete") || has_condition(status, "Failed");
}

api::Json condition(std::string_view type, std::string_view reason, std::string message, WallTime now) {
  std::string stamp = format_time(now);
  return api::Json::object({{"type", type},
                            {"status", "True"},
                            {"lastProbeTime", stamp},
                            {"lastTransitionTime", stamp},
                            {"reason", reason},
                            {"message", std::move(message)}});
}

std::string join(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::string_view name : names) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

// The earliest or the latest of the times that members report.
class ReportedTime {
 public:
  enum class Which : std::uint8_t { Earliest, Latest };

  ReportedTime(Which which, std::string_view field) : which_(which), field_(field) {}

  void read(FieldReader& status) {
    std::optional<WallTime> time = status.time(field_);
    if (!time) return;
    ++count_;
    bool better = !best_ || (which_ == Which::Earliest ? *time < *best_ : *time > *best_);
    if (better) best_ = time;
  }

  std::size_t count() const { return count_; }
  void write(api::Json& status) const {
    if (best_) status.set(field_, format_time(*best_));
  }

 private:
  Which which_;
  std::string_view field_;
  std::size_t count_ = 0;
  std::optional<WallTime> best_;
};

struct Outcomes {
  std::vector<std::string_view> failed;  // clusters
  std::size_t complete = 0;
  std::size_t met = 0;  // members whose success criteria are met
};

void set_conditions(api::Json& status, const Outcomes& outcomes, std::size_t members, WallTime now) {
  if (!outcomes.failed.empty()) {
    status["conditions"].push_back(condition(
        "Failed", "JobFailed", "Job executed failed in member clusters " + join(outcomes.failed), now));
  }
  if (members == 0 || outcomes.complete != members) return;
  status["conditions"].push_back(condition("Complete", "Completed", "Job completed", now));
  if (outcomes.met == members) {
    status["conditions"].push_back(condition("SuccessCriteriaMet", "CompletionsReached", "", now));
  }
}

void count_outcome(Outcomes& outcomes, const api::Json& item) {
  const api::Json& status = item["status"];
  if (has_condition(status, "Complete")) {
    ++outcomes.complete;
  } else if (has_condition(status, "Failed")) {
    outcomes.failed.push_back(item["clusterName"].as_string());
  }
  if (has_condition(status, "SuccessCriteriaMet")) ++outcomes.met;
}

}  // namespace

// A finished Job is never touched again: Kubernetes allows no way back.
Result<api::Json> aggregate_job(const api::Json& object, std::span<const api::Json> items, WallTime now) {
  const api::Json& old = object["status"];
  if (is_finished(old)) return api::Json(old);
  std::int64_t totals[std::size(kJobCounts)] = {};
  Outcomes outcomes;
  ReportedTime start(ReportedTime::Which::Earliest, "startTime");
  ReportedTime completion(ReportedTime::Which::Latest, "completionTime");
  for (const api::Json& item : items) {
    FieldReader reported(item["status"], "status");
    for (std::size_t i = 0; i < std::size(kJobCounts); ++i) totals[i] += reported.count(kJobCounts[i].name);
    start.read(reported);
    completion.read(reported);
    count_outcome(outcomes, item);
    Status read = reported.ok();
    if (!read) return std::move(read).context("member " + std::string(item["clusterName"].as_string()));
  }
  api::Json status = api::Json::object();
  for (std::size_t i = 0; i < std::size(kJobCounts); ++i) set_count(status, kJobCounts[i], totals[i]);
  set_conditions(status, outcomes, items.size(), now);
  const api::Json& started = old["startTime"];
  if (!started.is_null()) {
    status.set("startTime", started);
  } else if (start.count() == items.size()) {
    start.write(status);
  }
  if (completion.count() == items.size()) completion.write(status);
  return same_content(old, status) ? old : status;
}

Result<api::Json> aggregate_cron_job(const api::Json& object, std::span<const api::Json> items, WallTime) {
  api::Json status = api::Json::object();
  ReportedTime scheduled(ReportedTime::Which::Latest, "lastScheduleTime");
  ReportedTime successful(ReportedTime::Which::Latest, "lastSuccessfulTime");
  for (const api::Json& item : items) {
    FieldReader reported(item["status"], "status");
    for (const api::Json& active : reported.list("active")) status["active"].push_back(active);
    scheduled.read(reported);
    successful.read(reported);
    Status read = reported.ok();
    if (!read) return std::move(read).context("member " + std::string(item["clusterName"].as_string()));
  }
  scheduled.write(status);
  successful.write(status);
  const api::Json& old = object["status"];
  return same_content(old, status) ? old : status;
}

}  // namespace flotilla::interpreter
