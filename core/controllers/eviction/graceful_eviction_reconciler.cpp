// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/eviction/graceful_eviction_reconciler.hpp"

#include <algorithm>

#include "core/api/binding.hpp"
#include "core/api/conditions.hpp"
#include "core/controllers/facts.hpp"

namespace flotilla::controllers {
namespace {

api::RemovalCause cause_of(const Json& task, WallTime now) {
  const std::string why = "eviction " + std::string(task["reason"].as_string());
  if (task["suppressDeletion"].is_bool()) {
    return {api::RemovalReason::EvictionConfirmed,
            "user",
            why + " was let go on by suppressDeletion: false",
            format_time(now),
            {}};
  }
  const auto reason =
      api::purges_directly(task) ? api::RemovalReason::PurgedDirectly : api::RemovalReason::Evicted;
  return {reason, std::string(task["producer"].as_string()), why + " is over", format_time(now), {}};
}

bool is_healthy_in(const Json& binding, std::string_view cluster) {
  const auto items = binding["status"]["aggregatedStatus"].elements();
  return std::any_of(items.begin(), items.end(), [&](const Json& item) {
    return item["clusterName"].as_string() == cluster && item["health"].as_string() == "Healthy";
  });
}

bool has_task(const Json& spec, std::string_view cluster) {
  const auto tasks = spec["gracefulEvictionTasks"].elements();
  return std::any_of(tasks.begin(), tasks.end(),
                     [&](const Json& task) { return task["fromCluster"].as_string() == cluster; });
}

}  // namespace

GracefulEvictionReconciler::GracefulEvictionReconciler(Context& context, RemovalGuard& guard)
    : LoopController(context, "graceful-eviction", {.workers = context.options.workers}), guard_(guard) {
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    context.informers.on(scope->kind.collection(), [this](const Event& event) { on_binding(event); });
  }
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
}

void GracefulEvictionReconciler::on_cluster(const Event& event) {
  if (evicting_.empty()) return;
  if (event.previous && event.previous->generation() == event.object->generation() &&
      is_ready(*event.previous->content()) == is_ready(*event.object->content())) {
    return;
  }
  for (const Key& key : evicting_) loop_.enqueue(key, reconcile::kBackground);
}

// Most bindings have no tasks: their text says so without being parsed.
void GracefulEvictionReconciler::on_binding(const Event& event) {
  const Key key{event.collection, event.object->key()};
  if (event.type == Event::Type::Deleted || !mentions(*event.object, "\"gracefulEvictionTasks\"")) {
    evicting_.erase(key);
    return;
  }
  evicting_.insert(key);
  loop_.enqueue(key);
}

Task<Outcome> GracefulEvictionReconciler::reconcile(Key key) {
  const BindingScope& scope = scope_of(key.collection);
  const ObjectPtr binding = context_.get(scope.kind, key.object);
  if (!binding || binding->deleting()) co_return Outcome::done();
  const auto content = binding->content();
  if ((*content)["spec"]["gracefulEvictionTasks"].empty()) {
    auto reporting = report(scope, binding, {});
    co_return Outcome::of(co_await std::move(reporting));
  }
  auto planned = plan(scope, *content);
  if (!planned) co_return Outcome::retry(planned.error());
  auto applying = apply(scope, binding, *std::move(planned));
  co_return co_await std::move(applying);
}

Result<GracefulEvictionReconciler::Plan> GracefulEvictionReconciler::plan(const BindingScope& scope,
                                                                          const Json& binding) const {
  const Json& spec = binding["spec"];
  const Json& status = binding["status"];
  const WallTime now = context_.now();
  const EvictionView view{
      spec["gracefulEvictionTasks"].elements(), spec["clusters"].elements(),
      status["aggregatedStatus"].elements(),
      status["schedulerObservedGeneration"].as_int() == binding["metadata"]["generation"].as_int(),
      context_.options.graceful_eviction_timeout};
  auto assessed = assess_evictions(view, now);
  if (!assessed) return assessed.error();

  Plan plan;
  Json tasks = Json::array();
  std::size_t kept = 0;
  for (const Json& task : view.tasks) {
    const std::string cluster(task["fromCluster"].as_string());
    const auto& evicted = assessed->evicted;
    if (std::find(evicted.begin(), evicted.end(), cluster) == evicted.end()) {
      tasks.push_back(assessed->kept.element(kept++));
      continue;
    }
    api::RemovalCause cause = cause_of(task, now);
    if (auto hold = guard_.hold_of(scope, binding, cluster, cause)) {
      tasks.push_back(task);
      plan.look_again_in = std::min(plan.look_again_in, hold->look_again_in);
      plan.held.emplace_back(cluster, *std::move(hold));
    } else {
      plan.ended.emplace(cluster, std::move(cause));
    }
  }
  if (assessed->look_again_in)
    plan.look_again_in = std::min(
        plan.look_again_in, std::max<Duration>(*assessed->look_again_in, {}) + std::chrono::milliseconds(1));

  plan.spec = Json::object({{"clusters", spec["clusters"]}, {"gracefulEvictionTasks", tasks}});
  Json left = spec;
  left.set("gracefulEvictionTasks", std::move(tasks));
  const std::vector<std::string> recovered = recovered_clusters(binding, plan.held);
  if (auto withdrawn = withdraw_evictions(left, recovered)) {
    plan.spec = *std::move(withdrawn);
    for (const std::string& cluster : recovered) {
      if (has_task(left, cluster) && !has_task(plan.spec, cluster)) plan.withdrawn.push_back(cluster);
    }
    std::erase_if(plan.held, [&](const auto& hold) { return !has_task(plan.spec, hold.first); });
  }
  return plan;
}

std::vector<std::string> GracefulEvictionReconciler::recovered_clusters(
    const Json& binding, const RemovalGuard::Holds& held) const {
  std::vector<std::string> recovered;
  for (const Json& task : binding["spec"]["gracefulEvictionTasks"].elements()) {
    std::string cluster(task["fromCluster"].as_string());
    const bool is_held =
        std::any_of(held.begin(), held.end(), [&](const auto& hold) { return hold.first == cluster; });
    const bool by_taints = task["producer"].as_string() == kTaintManager;
    const bool by_application = task["reason"].as_string() == kApplicationFailure;
    if (by_taints ? tolerates_taints(binding, cluster)
                  : by_application && is_held && is_healthy_in(binding, cluster)) {
      recovered.push_back(std::move(cluster));
    }
  }
  return recovered;
}

bool GracefulEvictionReconciler::tolerates_taints(const Json& binding, const std::string& name) const {
  const ObjectPtr cluster = context_.get(kinds::kCluster, {"", name});
  if (!cluster || cluster->deleting()) return false;
  const auto content = cluster->content();
  if (!api::is_condition_true((*content)["status"]["conditions"], api::conditions::kReady)) return false;
  const auto placement = Json::parse(api::annotation_of(binding, api::annotations::kAppliedPlacement));
  const Json tolerations = placement ? (*placement)["clusterTolerations"] : Json();
  const auto verdict = judge_taints((*content)["spec"]["taints"].elements(),
                                    std::as_const(tolerations).elements(), context_.now());
  return verdict && verdict->all_tolerated &&
         !(verdict->remaining && *verdict->remaining <= Duration::zero());
}

Task<Outcome> GracefulEvictionReconciler::apply(BindingScope scope, ObjectPtr binding, Plan plan) {
  const std::int64_t generation = binding->generation();
  const auto wanted = std::make_shared<const Plan>(std::move(plan));
  auto writing = context_.writer.modify(
      scope.kind, Part::Main, binding->key(), [wanted, generation](Json& object) -> Result<bool> {
        if (std::as_const(object)["metadata"]["generation"].as_int() != generation)
          return Error(Code::Conflict, "the binding changed while its evictions were looked at");
        const Json before = object;
        set_evicted(object, wanted->spec);
        for (const auto& [cluster, cause] : wanted->ended) api::note_removal(object, cluster, cause);
        for (const std::string& cluster : wanted->withdrawn) api::forget_removal(object, cluster);
        return !(before == object);
      });
  const auto written = co_await std::move(writing);
  if (!written) {
    const bool stale = written.error().is(Code::NotFound) || written.error().is(Code::Conflict);
    co_return stale ? Outcome::done() : Outcome::retry(written.error());
  }
  const auto content = binding->content();
  for (const auto& [cluster, cause] : wanted->ended) {
    context_.events.record(*content, reconcile::kNormal, "EvictionEnded",
                           "Eviction from cluster(" + cluster + ") ended: " + cause.text());
  }
  for (const std::string& cluster : wanted->withdrawn) {
    context_.events.record(*content, reconcile::kNormal, "EvictionWithdrawn",
                           "Eviction from cluster(" + cluster + ") is withdrawn: the cluster has recovered");
  }
  const Duration again = wanted->look_again_in;
  auto reporting = report(scope, binding, wanted->held);
  const Status reported = co_await std::move(reporting);
  if (!reported) co_return Outcome::retry(reported.error());
  co_return again == Duration::max() ? Outcome::done() : Outcome::again_in(again);
}

Task<Status> GracefulEvictionReconciler::report(BindingScope scope, ObjectPtr binding,
                                                RemovalGuard::Holds holds) {
  return guard_.report(std::move(scope), std::move(binding), api::conditions::kEvictionHeld,
                       std::move(holds));
}

}  // namespace flotilla::controllers
