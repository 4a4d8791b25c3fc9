// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/eviction/application_failover_reconciler.hpp"

#include "core/controllers/eviction/eviction_plan.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/templates.hpp"

namespace flotilla::controllers {

ApplicationFailoverReconciler::ApplicationFailoverReconciler(Context& context)
    : LoopController(context, "application-failover", {.workers = context.options.workers}) {
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    context.informers.on(scope->kind.collection(), [this](const Event& event) { on_binding(event); });
  }
}

// Most bindings ask for no failover: their text says so without being parsed.
void ApplicationFailoverReconciler::on_binding(const Event& event) {
  const auto asks = [](const ObjectPtr& binding) { return binding && mentions(*binding, "\"failover\""); };
  if (asks(event.object) || asks(event.previous)) enqueue(event);
}

bool ApplicationFailoverReconciler::can_judge_health(const Json& binding) const {
  const Json& resource = binding["spec"]["resource"];
  return context_.interpreter.supports(resource["apiVersion"].as_string(), resource["kind"].as_string(),
                                       interpreter::Operation::InterpretHealth);
}

Task<Outcome> ApplicationFailoverReconciler::reconcile(Key key) {
  const BindingScope& scope = scope_of(key.collection);
  const ObjectPtr binding = context_.get(scope.kind, key.object);
  const auto content = binding ? binding->content() : nullptr;
  if (!content || binding->deleting() || !wants_application_failover(*content) ||
      !can_judge_health(*content)) {
    since_.erase(key);
    co_return Outcome::done();
  }
  UnhealthySince& since = since_[key];
  ApplicationVerdict verdict = judge_application(*content, since, context_.now());
  if (since.empty()) since_.erase(key);
  if (!verdict.evict.empty()) {
    auto evicting = evict_all(scope, binding, std::move(verdict.evict));
    const Status evicted = co_await std::move(evicting);
    if (!evicted)
      co_return evicted.error().is(Code::NotFound) ? Outcome::done() : Outcome::retry(evicted.error());
  }
  co_return verdict.look_again_in ? Outcome::again_in(*verdict.look_again_in) : Outcome::done();
}

Task<Status> ApplicationFailoverReconciler::evict_all(BindingScope scope, ObjectPtr binding,
                                                      std::vector<std::string> clusters) {
  const auto content = binding->content();
  std::vector<std::pair<std::string, Json>> tasks;
  for (std::string& cluster : clusters) {
    auto task = application_task(*content, cluster, context_.options.feature_gates);
    if (!task) {
      tell(*content, reconcile::kWarning, "EvictWorkloadFromClusterFailed", task.error().message());
      co_return task.error();
    }
    tasks.emplace_back(std::move(cluster), *std::move(task));
  }
  const std::int64_t generation = binding->generation();
  auto writing = context_.writer.modify(
      scope.kind, Part::Main, binding->key(), [tasks, generation](Json& object) -> Result<bool> {
        if (std::as_const(object)["metadata"]["generation"].as_int() != generation)
          return Error(Code::Conflict, "the binding changed before its eviction");
        for (const auto& [cluster, task] : tasks)
          set_evicted(object, evict(std::as_const(object)["spec"], cluster, task));
        return true;
      });
  const auto written = co_await std::move(writing);
  if (!written) co_return written.error();
  for (const auto& [cluster, task] : tasks) {
    tell(*content, reconcile::kNormal, "EvictWorkloadFromClusterSucceed",
         "Evict from cluster " + cluster + " succeed.");
  }
  co_return Status();
}

void ApplicationFailoverReconciler::tell(const Json& binding, std::string_view type, std::string_view reason,
                                         const std::string& message) {
  context_.events.record(binding, type, reason, message);
  context_.events.record(template_reference(binding), type, reason, message);
}

}  // namespace flotilla::controllers
