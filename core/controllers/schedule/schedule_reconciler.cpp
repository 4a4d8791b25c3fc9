// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/schedule/schedule_reconciler.hpp"

#include "core/api/cluster_affinity.hpp"
#include "core/api/conditions.hpp"
#include "core/api/quota_usage.hpp"
#include "core/api/removal_cause.hpp"
#include "core/controllers/give_way.hpp"
#include "core/controllers/templates.hpp"
#include "core/scheduler/trigger.hpp"

namespace flotilla::controllers {
namespace {

constexpr int kBeforeBindings = 100;
constexpr Duration kUnschedulableAgain = std::chrono::minutes(5);

bool has_owner(const Json& binding) {
  for (const std::string_view label :
       {api::labels::kPropagationPolicyId, api::labels::kClusterPropagationPolicyId,
        api::labels::kBindingManagedBy}) {
    if (!api::label_of(binding, label).empty()) return true;
  }
  return false;
}

// The affinity that decides whether a cluster's change can matter; null: every cluster matters.
const Json* observed_affinity(const Json& binding) {
  const Json& placement = binding["spec"]["placement"];
  if (const Json* affinity = placement.find("clusterAffinity")) return affinity;
  const auto terms = placement["clusterAffinities"].elements();
  const std::string_view observed = binding["status"]["schedulerObservingAffinityName"].as_string();
  for (const Json& term : terms) {
    if (observed.empty() || term["affinityName"].as_string() == observed) return &term;
  }
  return nullptr;
}

Json targets_of(const scheduler::Decision& decision, const scheduler::ClusterTable& table,
                const Json& components) {
  Json targets = Json::array();
  for (const scheduler::Target& target : decision.targets) {
    Json entry = Json::object({{"name", table.name(target.row)}});
    if (target.replicas != 0) entry.set("replicas", target.replicas);
    if (decision.with_components && !components.empty()) entry.set("components", components);
    targets.push_back(std::move(entry));
  }
  return targets;
}

// "{member1:2, member2:1}", as the event shows it.
std::string result_text(const Json& targets) {
  std::string text = "{";
  for (const Json& target : targets.elements()) {
    if (text.size() > 1) text += ", ";
    text += std::string(target["name"].as_string()) + ":" + std::to_string(target["replicas"].as_int());
  }
  return text + "}";
}

bool names(const Json& targets, std::string_view cluster) {
  const auto list = targets.elements();
  return std::any_of(list.begin(), list.end(),
                     [&](const Json& target) { return target["name"].as_string() == cluster; });
}

// Why clusters that had the workload are not chosen any more.
api::RemovalCause cause_of_removal(std::string_view reason, const scheduler::ScheduledCondition& condition,
                                   WallTime now) {
  api::RemovalCause cause{
      api::RemovalReason::Rescheduled, "scheduler", std::string(reason), format_time(now), {}};
  if (!condition.scheduled) {
    cause.reason = api::RemovalReason::NoClusterFits;
    cause.message = condition.message;
  } else if (reason == "placement changed") {
    cause.reason = api::RemovalReason::PlacementChanged;
  }
  return cause;
}

// Writes down which clusters lose the workload; what is chosen again is forgotten.
void note_removals(Json& binding, const Json& targets, const api::RemovalCause& cause) {
  const Json before = std::as_const(binding)["spec"]["clusters"];
  for (const Json& target : before.elements()) {
    const std::string_view cluster = target["name"].as_string();
    if (!names(targets, cluster)) api::note_removal(binding, cluster, cause);
  }
  for (const Json& target : targets.elements()) api::forget_removal(binding, target["name"].as_string());
}

// The clusters and the placement they were chosen for. `generation` becomes the one that the write will give
// the binding. True if something changed.
bool set_result(Json& binding, const Json& targets, const std::string& placement,
                const api::RemovalCause& cause, std::int64_t& generation) {
  const Json& known = std::as_const(binding)["spec"]["clusters"];
  const bool same = known == targets || (known.empty() && targets.empty());
  if (same && api::annotation_of(binding, api::annotations::kAppliedPlacement) == placement) return false;
  binding.make({"metadata", "annotations", api::annotations::kAppliedPlacement}) = placement;
  if (same) return true;
  note_removals(binding, targets, cause);
  if (targets.empty()) {
    binding["spec"].erase("clusters");
  } else {
    binding["spec"].set("clusters", targets);
  }
  ++generation;
  return true;
}

// Does the binding say already what was decided again? Then its last decision is still the one of back then.
bool is_said(const Json& status, const scheduler::ScheduledCondition& condition, const std::string& affinity,
             std::int64_t generation) {
  const Json* known = api::find_condition(status["conditions"], api::conditions::kScheduled);
  return condition.scheduled && known != nullptr && (*known)["status"].as_string() == "True" &&
         (*known)["reason"].as_string() == condition.reason &&
         status["schedulerObservedGeneration"].as_int() == generation &&
         (affinity.empty() || status["schedulerObservingAffinityName"].as_string() == affinity);
}

bool set_outcome(Json& binding, const scheduler::ScheduledCondition& condition, const std::string& affinity,
                 std::int64_t generation, WallTime now) {
  Json& status = binding["status"];
  const Json before = status;
  api::set_condition(status["conditions"],
                     {api::conditions::kScheduled, condition.scheduled ? "True" : "False", condition.reason,
                      condition.message},
                     now);
  if (condition.scheduled) {
    status.set("schedulerObservedGeneration", generation);
    status.set("lastScheduledTime", format_time(now));
  }
  if (!affinity.empty()) status.set("schedulerObservingAffinityName", affinity);
  return !(before == status);
}

bool is_quota_exceeded(const Error& error) {
  return error.details() != nullptr && error.details()->reason == api::kQuotaExceeded;
}

}  // namespace

ScheduleReconciler::ScheduleReconciler(Context& context)
    : LoopController(
          context, "scheduler",
          {.workers = 1, .base_delay = std::chrono::seconds(1), .max_delay = std::chrono::seconds(10)}),
      log_(context.store) {
  options_.empty_workload_propagation = context.options.enable_empty_workload_propagation;
  options_.multiple_pod_templates = context.options.feature_gates.multiple_pod_templates_scheduling;
  options_.ticks = [] { return SystemClock().steady_now().time_since_epoch().count(); };
  constexpr const char* kEvents[] = {"BindingAdd", "BindingUpdate", "ClusterChanged"};
  for (std::size_t i = 0; i < incoming_.size(); ++i) {
    incoming_[i] = counter_in(context.metrics, "karmada_scheduler_queue_incoming_bindings_total",
                              "Bindings that became due, by what made them so.", {{"event", kEvents[i]}});
  }
  if (context.metrics != nullptr) {
    pending_ = context.metrics->computed("scheduler_pending_bindings", "Bindings that wait to be scheduled.",
                                         {{"queue", "active"}},
                                         [this] { return static_cast<double>(loop_.stats().waiting); });
  }
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    context.informers.on(scope->kind.collection(), [this](const Event& event) { on_binding(event); });
  }
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) {
    loop_.enqueue({event.collection, event.object->key()}, kBeforeBindings);
  });
}

void ScheduleReconciler::on_binding(const Event& event) {
  if (event.type == Event::Type::Deleted) return;
  if (event.previous && event.previous->labels().pairs == event.object->labels().pairs) {
    const std::int64_t generation = event.object->generation();
    if (event.previous->generation() == generation) return;
    // What was just decided here is seen already: deciding it again would only say it again.
    const auto content = event.object->content();
    if ((*content)["status"]["schedulerObservedGeneration"].as_int() == generation) return;
  }
  incoming_[event.previous ? 1 : 0]->add();
  enqueue(event);
}

Task<void> ScheduleReconciler::follow_cluster(ObjectKey key) {
  const ObjectPtr now = context_.get(kinds::kCluster, key);
  const auto known = clusters_.find(key.name);
  const ObjectPtr before = known == clusters_.end() ? nullptr : known->second;
  if (!now) {
    table_.remove(key.name);
    clusters_.erase(key.name);
    co_return;
  }
  const auto content = now->content();
  table_.update(*content);
  clusters_[key.name] = now;
  if (!before) co_return;
  const bool relevant = before->deleting() != now->deleting() || before->generation() != now->generation() ||
                        before->labels().pairs != now->labels().pairs;
  if (!relevant) co_return;
  auto waking = wake_matching(before, now);
  co_await std::move(waking);
}

Task<void> ScheduleReconciler::wake_matching(ObjectPtr before, ObjectPtr after) {
  Turns turns;
  const auto was = before->content(), is = after->content();
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    const Collection collection = scope->kind.collection();
    const auto all = context_.store.list(collection).objects;
    for (const ObjectPtr& binding : all) {
      auto waiting = turns.give_way();
      co_await std::move(waiting);
      const auto content = binding->content();
      if (!is_ours(*content) || !(*content)["spec"].contains("placement")) continue;
      if (const Json* json = observed_affinity(*content)) {
        const api::ClusterAffinity affinity(*json);
        if (!affinity.matches(*was) && !affinity.matches(*is)) continue;
      }
      incoming_[2]->add();
      loop_.enqueue({collection, binding->key()}, reconcile::kBackground);
    }
  }
}

bool ScheduleReconciler::is_ours(const Json& binding) const {
  const Json& spec = binding["spec"];
  return spec["schedulerName"].as_string("default-scheduler") == context_.options.scheduler_name &&
         !spec["suspension"]["scheduling"].as_bool() && has_owner(binding);
}

bool ScheduleReconciler::targets_deleting(const Json& binding) const {
  for (const Json& target : binding["spec"]["clusters"].elements()) {
    const auto cluster = clusters_.find(std::string(target["name"].as_string()));
    if (cluster != clusters_.end() && cluster->second->deleting()) return true;
  }
  return false;
}

Task<Outcome> ScheduleReconciler::reconcile(Key key) {
  if (key.collection == kinds::kCluster.collection()) {
    auto following = follow_cluster(key.object);
    co_await std::move(following);
    co_return Outcome::done();
  }
  const BindingScope& scope = scope_of(key.collection);
  const ObjectPtr binding = context_.get(scope.kind, key.object);
  if (!binding || binding->deleting()) co_return Outcome::done();
  const auto content = binding->content();
  if (!is_ours(*content)) co_return Outcome::done();
  if (!(*content)["spec"].contains("placement")) {
    co_return Outcome::give_up(invalid("binding has no placement: its policy has not been applied"));
  }
  const std::string_view reason =
      scheduler::schedule_reason(*content, targets_deleting(*content), options_.multiple_pod_templates);
  if (reason.empty()) {
    auto observing = observe_generation(scope, binding);
    co_return co_await std::move(observing);
  }
  if (!log_.loaded()) {
    auto loading = log_.load();
    if (const Status loaded = co_await std::move(loading); !loaded) co_return Outcome::retry(loaded.error());
  }
  const SteadyTime began = context_.executor.clock().steady_now();
  const scheduler::ClusterTablePtr table = table_.snapshot();
  scheduler::Attempt tried = scheduler::attempt(*content, *table, context_.policies, options_, workspace_);
  const bool ok = tried.decision.ok();
  auto recording = record(scope, binding, std::move(tried), table, std::string(reason));
  Outcome outcome = co_await std::move(recording);
  count(ok, reason, context_.executor.clock().steady_now() - began);
  co_return outcome;
}

void ScheduleReconciler::count(bool ok, std::string_view reason, Duration took) {
  const bool scales = reason.find("replica") != reason.npos;
  const MetricLabels labels = {{"result", ok ? "scheduled" : "error"},
                               {"schedule_type", scales ? "ScaleSchedule" : "ReconcileSchedule"}};
  static const Buckets kBuckets = exponential_buckets(0.001, 2, 15);
  counter_in(context_.metrics, "karmada_scheduler_schedule_attempts_total", "Tries to schedule a binding.",
             labels)
      ->add();
  histogram_in(context_.metrics, "karmada_scheduler_e2e_scheduling_duration_seconds",
               "How long it takes to schedule a binding.", kBuckets, labels)
      ->observe(took);
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
Task<Outcome> ScheduleReconciler::record(const BindingScope& scope, ObjectPtr binding,
                                         scheduler::Attempt attempt, scheduler::ClusterTablePtr table,
                                         std::string reason) {
  const auto content = binding->content();
  const bool ok = attempt.decision.ok();
  const bool no_fit = !ok && attempt.failures.front().kind == scheduler::FailureKind::NoClusterFit;
  scheduler::ScheduledCondition condition = scheduler::scheduled_condition(attempt.failures);
  const std::int64_t asked = binding->generation();
  auto targets = std::make_shared<const Json>(
      ok ? targets_of(attempt.decision, *table, (*content)["spec"]["components"]) : Json::array());

  const std::string placement = ok || no_fit ? (*content)["spec"]["placement"].dump() : std::string();
  const std::string affinity = ok ? attempt.affinity_name : std::string();
  const WallTime now = context_.now();
  const api::RemovalCause cause = cause_of_removal(reason, condition, now);
  const bool triggered = scheduler::reschedule_required((*content)["spec"], (*content)["status"]);
  auto said = std::make_shared<bool>(false);
  auto tried = std::make_shared<const scheduler::Attempt>(std::move(attempt));
  // Only where it is needed: most bindings that are looked at again stay as they are.
  const auto describe = [=, this, world = context_.store.revision()] {
    scheduler::DecisionRecord record =
        log_.describe(*tried, *table, context_.policies, options_, context_.options.scheduler_name);
    record.time = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    record.trigger = reason;
    record.binding_generation = asked;
    record.world_revision = world.get();
    return record;
  };
  if (!condition.scheduled) condition.message += advice(describe(), *content);
  store::WriteOptions options;
  options.beside = std::make_shared<store::SideValues>();
  auto ticket = std::make_shared<DecisionLog::Ticket>();
  auto writing = context_.writer.modify(
      scope.kind, Part::Whole, binding->key(),
      [=, this, keep = !ok && !no_fit, beside = options.beside](Json& object) -> Result<bool> {
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
        scheduler::DecisionRecord record = describe();
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

  log_.written(*ticket);
  if (*said) co_return Outcome::done();
  if (condition.scheduled) {
    tell(*content, reconcile::kNormal, "ScheduleBindingSucceed",
         condition.message + " Result: " + result_text(*targets));
    co_return Outcome::done();
  }
  tell(*content, reconcile::kWarning, "ScheduleBindingFailed", condition.message);
  if (condition.ignore) co_return Outcome::done();
  if (tried->failures.front().kind == scheduler::FailureKind::Unschedulable) {
    co_return Outcome::again_in(kUnschedulableAgain);
  }
  co_return Outcome::retry(Error(Code::Unavailable, condition.message));
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

// On the binding and on its template.
void ScheduleReconciler::tell(const Json& binding, std::string_view type, std::string_view reason,
                              const std::string& message) {
  context_.events.record(binding, type, reason, message);
  context_.events.record(template_reference(binding), type, reason, message);
}

}  // namespace flotilla::controllers
