// SPDX-License-Identifier: Apache-2.0
// What was decided, onto the binding: one commit per decision, events on binding and template.
#include "core/api/quota_usage.hpp"
#include "core/controllers/schedule/schedule_reconciler.hpp"
#include "core/controllers/schedule/schedule_result.hpp"
#include "core/controllers/templates.hpp"

namespace flotilla::controllers {
namespace {

bool is_quota_exceeded(const Error& error) {
  return error.details() != nullptr && error.details()->reason == api::kQuotaExceeded;
}

}  // namespace

Task<Outcome> ScheduleReconciler::write(Trial& trial) {
  if (!trial.object || trial.policies == nullptr || trial.asks) co_return Outcome::done();
  if (!trial.binding.placement)
    co_return Outcome::give_up(invalid("binding has no placement: its policy has not been applied"));
  const BindingScope& scope = scope_of(trial.key.collection);
  if (trial.reason.empty()) {
    auto observing = observe_generation(scope, trial.object);
    co_return co_await std::move(observing);
  }
  if (!log_.loaded()) {
    auto loading = log_.load();
    if (const Status loaded = co_await std::move(loading); !loaded) co_return Outcome::retry(loaded.error());
  }
  auto recording = record(trial);
  co_return co_await std::move(recording);
}

Task<Outcome> ScheduleReconciler::observe_generation(const BindingScope& scope, ObjectPtr binding) {
  const std::int64_t generation = binding->generation();
  auto writing = context_.writer.modify(
      scope.kind, Part::Status, binding->key(), [generation](Json& object) -> Result<bool> {
        if (std::as_const(object)["status"]["schedulerObservedGeneration"].as_int() == generation)
          return false;
        object.make({"status", "schedulerObservedGeneration"}) = generation;
        return true;
      });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  co_return Outcome::done();
}

// The result is kept as it was when there were clusters but not enough room; no fitting cluster clears it.
Task<Outcome> ScheduleReconciler::record(Trial& trial) {
  const BindingScope& scope = scope_of(trial.key.collection);
  const ObjectPtr binding = trial.object;
  const std::shared_ptr<const Json> content = trial.content;
  const scheduler::Attempt& attempt = trial.attempt;
  const bool ok = attempt.decision.ok();
  const bool no_fit = !ok && attempt.failures.front().kind == scheduler::FailureKind::NoClusterFit;
  scheduler::ScheduledCondition condition = scheduler::scheduled_condition(attempt.failures);
  const std::int64_t asked = binding->generation();
  auto targets = std::make_shared<const Json>(
      ok ? targets_of(attempt.decision, *trial.table, (*content)["spec"]["components"]) : Json::array());

  const std::string placement = ok || no_fit ? (*content)["spec"]["placement"].dump() : std::string();
  const std::string affinity = ok ? attempt.affinity_name : std::string();
  const WallTime now = context_.now();
  const Revision world = context_.store.revision();
  const api::RemovalCause cause = cause_of_removal(trial.reason, condition, now);
  const bool triggered = scheduler::reschedule_required((*content)["spec"], (*content)["status"]);
  auto said = std::make_shared<bool>(false);
  if (!condition.scheduled) condition.message += advice(describe(trial, now, world), *content);
  store::WriteOptions options;
  options.beside = std::make_shared<store::SideValues>();
  auto ticket = std::make_shared<DecisionLog::Ticket>();
  auto writing = context_.writer.modify(
      scope.kind, Part::Whole, binding->key(),
      [=, this, &trial, keep = !ok && !no_fit, beside = options.beside](Json& object) -> Result<bool> {
        // Status may have moved; what was asked must not have.
        if (std::as_const(object)["metadata"]["generation"].as_int() != asked)
          return Error(Code::Conflict, "the binding changed while it was scheduled");
        std::int64_t generation = asked;
        bool changed = false;
        if (!keep) changed = set_result(object, *targets, placement, cause, generation);
        *said =
            !changed && !triggered && is_said(std::as_const(object)["status"], condition, affinity, asked);
        if (*said) return false;
        if (!set_outcome(object, condition, affinity, generation, now) && !changed) return false;
        // Only here: most bindings that are looked at again stay as they are.
        scheduler::DecisionRecord record = describe(trial, now, world);
        record.binding_revision = api::revision_of(object).get();
        *ticket = log_.add(record, object, *beside);
        return true;
      },
      options);
  const auto written = co_await std::move(writing);
  if (!written && is_quota_exceeded(written.error())) {
    auto refusing = refuse(scope, binding, written.error());
    co_return co_await std::move(refusing);
  }
  if (!written) {
    // Gone, or changed: then it is due again already.
    const bool stale = written.error().is(Code::NotFound) || written.error().is(Code::Conflict);
    co_return stale ? Outcome::done() : Outcome::retry(written.error());
  }

  trial.written = true;
  log_.written(*ticket);
  if (*said) co_return Outcome::done();
  tell_passed_terms(*content, attempt);
  if (condition.scheduled) {
    tell(*content, reconcile::kNormal, "ScheduleBindingSucceed",
         condition.message + " Result: " + result_text(*targets));
    co_return Outcome::done();
  }
  tell(*content, reconcile::kWarning, "ScheduleBindingFailed", condition.message);
  if (condition.ignore) co_return Outcome::done();
  if (attempt.failures.front().kind == scheduler::FailureKind::Unschedulable) {
    co_return Outcome::again_in(context_.options.scheduler_unschedulable_again);
  }
  co_return Outcome::retry(Error(Code::Unavailable, condition.message));
}

scheduler::DecisionRecord ScheduleReconciler::describe(const Trial& trial, WallTime now, Revision world) {
  const std::string_view name = (*trial.content)["spec"]["schedulerName"].as_string("default-scheduler");
  scheduler::DecisionRecord record =
      log_.describe(trial.attempt, *trial.table, *trial.policies, options_, name);
  record.time = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  record.trigger = trial.reason;
  record.binding_generation = trial.object->generation();
  record.world_revision = world.get();
  return record;
}

Task<Outcome> ScheduleReconciler::refuse(const BindingScope& scope, ObjectPtr binding, Error error) {
  const auto content = binding->content();
  const scheduler::ScheduledCondition condition{false, api::kQuotaExceeded, error.message(), false};
  const WallTime now = context_.now();
  auto writing = context_.writer.modify(
      scope.kind, Part::Status, binding->key(),
      [condition, now](Json& object) -> Result<bool> { return set_outcome(object, condition, {}, 0, now); });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  tell(*content, reconcile::kWarning, "ScheduleBindingFailed", error.message());
  co_return Outcome::retry(std::move(error));
}

// Each term of clusterAffinities that was tried in vain.
void ScheduleReconciler::tell_passed_terms(const Json& binding, const scheduler::Attempt& attempt) {
  if (binding["spec"]["placement"]["clusterAffinities"].empty()) return;
  const auto& failures = attempt.decision.ok() ? attempt.passed : attempt.failures;
  const std::string which =
      std::string(binding["kind"].as_string()) + "(" + api::key_of(binding).text() + ")";
  for (std::size_t i = 0; i < failures.size(); ++i) {
    tell(binding, reconcile::kWarning, "ScheduleBindingFailed",
         "failed to schedule " + which + " with clusterAffiliates index(" +
             std::to_string(attempt.first_term + i) + "): " + failures[i].message);
  }
}

// On the binding and on its template.
void ScheduleReconciler::tell(const Json& binding, std::string_view type, std::string_view reason,
                              const std::string& message) {
  context_.events.record(binding, type, reason, message);
  context_.events.record(template_reference(binding), type, reason, message);
}

}  // namespace flotilla::controllers
