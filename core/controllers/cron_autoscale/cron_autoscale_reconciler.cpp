// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cron_autoscale/cron_autoscale_reconciler.hpp"

#include "core/controllers/cron_autoscale/cron_plan.hpp"
#include "core/controllers/scale_target.hpp"

namespace flotilla::controllers {
namespace {

using Change = std::function<bool(Json& status)>;

Task<Status> change_status(Context& context, ObjectKey key, Change change) {
  auto writing = context.writer.modify(kinds::kCronFederatedHpa, Part::Status, std::move(key),
                                       [change = std::move(change)](Json& object) -> Result<bool> {
                                         Json status = std::as_const(object)["status"];
                                         if (!status.is_object()) status = Json::object();
                                         if (!change(status)) return false;
                                         if (status == std::as_const(object)["status"]) return false;
                                         object.set("status", std::move(status));
                                         return true;
                                       });
  const auto written = co_await std::move(writing);
  co_return written || written.error().is(Code::NotFound) ? Status() : Status(written.error());
}

}  // namespace

CronAutoscaleReconciler::CronAutoscaleReconciler(Context& context)
    : LoopController(context, "cronfederatedhpa-controller",
                     {.timed_as = "cronfederatedhpa_process_duration_seconds"}) {
  context.informers.on(kinds::kCronFederatedHpa.collection(), [this](const Event& event) {
    const bool same = event.type == Event::Type::Modified &&
                      event.previous->generation() == event.object->generation() &&
                      event.previous->deleting() == event.object->deleting();
    if (!same) enqueue(event);
  });
}

Task<Outcome> CronAutoscaleReconciler::reconcile(Key key) {
  const ObjectPtr object = context_.get(kinds::kCronFederatedHpa, key.object);
  if (!object || object->deleting()) {
    schedules_.erase(key.object);
    co_return Outcome::done();
  }
  const auto content = object->content();
  auto settling = settle(content);
  const Status settled = co_await std::move(settling);

  const WallTime now = context_.now();
  std::vector<Runner> due;
  std::optional<WallTime> earliest;
  for (auto& [name, runner] : schedules_[key.object].runners) {
    if (runner.next <= now) {
      auto next = next_execution(runner.rule, now);
      runner.next = next ? *next : WallTime::max();
      due.push_back(runner);
    }
    if (!earliest || runner.next < *earliest) earliest = runner.next;
  }
  for (Runner& runner : due) {
    auto firing = fire(content, std::move(runner.rule), runner.next);
    const Status fired = co_await std::move(firing);
    if (!fired) {
      context_.events.record(*content, reconcile::kWarning, "UpdateStatusFailed", fired.error().message());
    }
  }
  if (!settled) co_return Outcome::retry(settled.error());
  if (!earliest || *earliest == WallTime::max()) co_return Outcome::done();
  co_return Outcome::again_in(std::max<Duration>(*earliest - context_.now(), std::chrono::milliseconds(1)));
}

Task<Status> CronAutoscaleReconciler::settle(std::shared_ptr<const Json> object) {
  const Json& spec = (*object)["spec"];
  const ObjectKey key = api::key_of(*object);
  Schedule& schedule = schedules_[key];
  if (!(schedule.target == spec["scaleTargetRef"])) schedule.runners.clear();
  schedule.target = spec["scaleTargetRef"];

  std::vector<std::pair<std::string, std::optional<WallTime>>> dates;  // those that are new
  std::set<std::string> names;
  for (const Json& rule : spec["rules"].elements()) {
    const std::string name(rule["name"].as_string());
    names.insert(name);
    const auto known = schedule.runners.find(name);
    if (known != schedule.runners.end() && known->second.rule == rule) continue;
    if (known != schedule.runners.end()) schedule.runners.erase(known);
    if (rule["suspend"].as_bool()) {
      dates.emplace_back(name, std::nullopt);
      continue;
    }
    const auto next = next_execution(rule, context_.now());
    if (!next) {
      // Only a change of the rule can help; the others run.
      context_.events.record(*object, reconcile::kWarning, "StartRuleFailed", next.error().message());
      continue;
    }
    schedule.runners[name] = {rule, *next};
    dates.emplace_back(name, *next);
  }
  std::erase_if(schedule.runners, [&](const auto& entry) { return !names.contains(entry.first); });

  auto writing = change_status(context_, key, [dates, spec](Json& status) {
    bool changed = drop_old_histories(status, spec);
    for (const auto& [name, next] : dates) set_next_execution(status, name, next);
    return changed || !dates.empty();
  });
  const Status written = co_await std::move(writing);
  if (!written) {
    context_.events.record(*object, reconcile::kWarning, "UpdateCronFederatedHPAFailed",
                           written.error().message());
    // The dates are said again with the next try.
    auto again = schedules_.find(key);
    if (again != schedules_.end()) {
      for (const auto& [name, next] : dates) again->second.runners.erase(name);
    }
  }
  co_return written;
}

Task<Status> CronAutoscaleReconciler::fire(std::shared_ptr<const Json> object, Json rule, WallTime next) {
  const SteadyTime began = context_.executor.clock().steady_now();
  auto executing = execute(object, rule);
  const Status done = co_await std::move(executing);
  std::string failure;
  if (!done) {
    failure = done.error().message();
    context_.events.record(*object, reconcile::kWarning, "ScaleFailed", failure);
  }
  static const Buckets kBuckets = exponential_buckets(0.01, 2, 12);
  histogram_in(context_.metrics, "cronfederatedhpa_rule_process_duration_seconds",
               "How long rules of CronFederatedHPAs take.", kBuckets,
               {{"result", done ? "success" : "error"}})
      ->observe(context_.executor.clock().steady_now() - began);
  const WallTime now = context_.now();
  const std::optional<WallTime> date = next == WallTime::max() ? std::nullopt : std::optional(next);
  auto writing = change_status(context_, api::key_of(*object), [rule, failure, now, date](Json& status) {
    return record_execution(status, rule, {now, date, failure});
  });
  co_return co_await std::move(writing);
}

Task<Status> CronAutoscaleReconciler::execute(std::shared_ptr<const Json> object, Json rule) {
  const Json& reference = (*object)["spec"]["scaleTargetRef"];
  const ObjectKey key = api::key_of(*object);
  const std::string_view version = reference["apiVersion"].as_string(), kind = reference["kind"].as_string();
  if (version == kinds::kFederatedHpa.gvk.api_version()) {
    if (kind != "FederatedHPA") {
      co_return invalid("CronFederatedHPA(" + key.text() + ") do not support scale target " +
                        std::string(version) + "/" + std::string(kind));
    }
    auto bounding = context_.writer.modify(
        kinds::kFederatedHpa, Part::Main, {key.ns, std::string(reference["name"].as_string())},
        [rule](Json& autoscaler) -> Result<bool> { return set_bounds(autoscaler, rule); });
    const auto bounded = co_await std::move(bounding);
    co_return bounded ? Status() : Status(bounded.error());
  }
  auto target = find_scale_target(context_, reference, key.ns);
  if (!target) co_return std::move(target).error();
  auto scaling = scale_to(context_, *std::move(target), rule["targetReplicas"].as_int());
  co_return co_await std::move(scaling);
}

}  // namespace flotilla::controllers
