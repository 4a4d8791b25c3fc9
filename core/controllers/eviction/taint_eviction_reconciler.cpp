// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/eviction/taint_eviction_reconciler.hpp"

#include <algorithm>

#include "core/api/taint.hpp"
#include "core/controllers/eviction/application_failover.hpp"
#include "core/controllers/eviction/eviction_plan.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/give_way.hpp"
#include "core/controllers/templates.hpp"

namespace flotilla::controllers {
namespace {

constexpr int kWorkers = 3;
constexpr Duration kLookAgain = std::chrono::seconds(10);
constexpr Duration kPauseWithoutRate = std::chrono::minutes(30);

bool has_no_execute_taint(const Json& cluster) {
  const auto taints = cluster["spec"]["taints"].elements();
  return std::any_of(taints.begin(), taints.end(),
                     [](const Json& taint) { return taint["effect"].as_string() == api::kNoExecute; });
}

bool names_any(const Json& binding, const std::set<std::string>& clusters) {
  const auto targets = binding["spec"]["clusters"].elements();
  return std::any_of(targets.begin(), targets.end(), [&](const Json& target) {
    return clusters.contains(std::string(target["name"].as_string()));
  });
}

Duration pause_after_eviction(double rate) {
  if (rate <= 0) return kPauseWithoutRate;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / rate));
}

}  // namespace

TaintEvictionReconciler::TaintEvictionReconciler(Context& context, const BindingScope& scope)
    : LoopController(context, scope.namespaced ? "taint-manager" : "cluster-taint-manager",
                     {.workers = kWorkers}),
      scope_(scope),
      queue_(scope.namespaced ? "resource-binding-eviction" : "cluster-resource-binding-eviction") {
  if (context.metrics != nullptr) {
    depth_ = context.metrics->computed("eviction_queue_depth",
                                       "Bindings that wait to be evicted from clusters.", {{"name", queue_}},
                                       [this] { return static_cast<double>(loop_.waiting()); });
  }
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
  context.informers.on(scope.kind.collection(), [this](const Event& event) { on_binding(event); });
}

void TaintEvictionReconciler::on_cluster(const Event& event) {
  if (event.type == Event::Type::Deleted || !has_no_execute_taint(*event.object->content())) {
    tainted_.erase(event.object->name());
    return;
  }
  const bool fresh = tainted_.insert(event.object->name()).second;
  if (!fresh && event.previous && event.previous->generation() == event.object->generation()) return;
  enqueue(event);
}

void TaintEvictionReconciler::on_binding(const Event& event) {
  if (tainted_.empty() || event.type == Event::Type::Deleted) return;
  if (names_any(*event.object->content(), tainted_)) enqueue(event);
}

Task<Outcome> TaintEvictionReconciler::reconcile(Key key) {
  if (key.collection == kinds::kCluster.collection()) {
    auto spreading = spread(key.object.name);
    co_await std::move(spreading);
    co_return Outcome::done();
  }
  const ObjectPtr binding = context_.get(scope_.kind, key.object);
  if (!binding || binding->deleting()) {
    count_waiting(key, nullptr);
    co_return Outcome::done();
  }
  auto looking = look_at(binding);
  co_return co_await std::move(looking);
}

void TaintEvictionReconciler::count_waiting(const Key& key, const Json* binding) {
  if (const auto known = waiting_.find(key); known != waiting_.end()) {
    for (const auto& gauge : known->second) gauge->add(-1);
    waiting_.erase(known);
  }
  if (binding == nullptr) return;
  std::vector<std::shared_ptr<Gauge>> gauges;
  for (const Json& target : (*binding)["spec"]["clusters"].elements()) {
    const std::string name(target["name"].as_string());
    const ObjectPtr cluster = context_.get(kinds::kCluster, {"", name});
    if (!cluster || !has_no_execute_taint(*cluster->content())) continue;
    gauges.push_back(gauge_in(
        context_.metrics, "eviction_kind_total", "What is looked at for eviction, by cluster and kind.",
        {{"member_cluster", name},
         {"resource_kind", std::string((*binding)["spec"]["resource"]["kind"].as_string())}}));
    gauges.back()->add(1);
  }
  if (!gauges.empty()) waiting_.emplace(key, std::move(gauges));
}

// The text of a binding says first whether it can mean the cluster.
Task<void> TaintEvictionReconciler::spread(std::string cluster) {
  const std::set<std::string> one{cluster};
  const std::string text = "\"" + cluster + "\"";
  const Collection collection = scope_.kind.collection();
  Turns turns;
  const auto all = context_.store.list(collection).objects;
  for (const ObjectPtr& binding : all) {
    auto waiting = turns.give_way();
    co_await std::move(waiting);
    if (!mentions(*binding, text)) continue;
    if (names_any(*binding->content(), one)) loop_.enqueue({collection, binding->key()});
  }
}

Task<Outcome> TaintEvictionReconciler::look_at(ObjectPtr binding) {
  const auto content = binding->content();
  count_waiting({scope_.kind.collection(), binding->key()}, content.get());
  const Clock& clock = context_.executor.clock();
  const SteadyTime began = clock.steady_now();
  const auto processed = [&](bool ok) {
    static const Buckets kBuckets = exponential_buckets(0.001, 2, 15);
    histogram_in(context_.metrics, "eviction_processing_latency_seconds",
                 "How long a look at a binding takes.", kBuckets, {{"name", queue_}})
        ->observe(clock.steady_now() - began);
    counter_in(context_.metrics, "eviction_processing_total",
               "Looks at bindings that may have to be evicted.",
               {{"name", queue_}, {"result", ok ? "success" : "error"}})
        ->add();
  };
  const auto due = find_due(*content);
  if (!due) {
    processed(false);
    co_return Outcome::retry(due.error());
  }
  if (due->cluster.empty()) {
    processed(true);
    co_return due->next == Duration::max() ? Outcome::done() : Outcome::again_in(due->next);
  }
  auto evicting = evict_from(binding, due->cluster);
  const Status evicted = co_await std::move(evicting);
  processed(evicted.ok() || evicted.error().is(Code::NotFound));
  if (!evicted && evicted.error().is(Code::NotFound)) co_return Outcome::done();
  if (!evicted) {
    if (!evicted.error().is(Code::Conflict))
      tell(*content, reconcile::kWarning, "EvictWorkloadFromClusterFailed", evicted.error().message());
    co_return Outcome::retry(evicted.error());
  }
  tell(*content, reconcile::kNormal, "EvictWorkloadFromClusterSucceed",
       "Evict from cluster " + due->cluster + " succeed.");
  auto pausing = sleep_for(pause_after_eviction(context_.options.resource_eviction_rate));
  co_await std::move(pausing);
  co_return Outcome::again_in(Duration::zero());  // the next of its clusters
}

Result<TaintEvictionReconciler::Due> TaintEvictionReconciler::find_due(const Json& binding) const {
  Due due;
  const std::string_view applied = api::annotation_of(binding, api::annotations::kAppliedPlacement);
  for (const Json& target : binding["spec"]["clusters"].elements()) {
    const std::string name(target["name"].as_string());
    const ObjectPtr cluster = context_.get(kinds::kCluster, {"", name});
    const auto content = cluster ? cluster->content() : nullptr;
    if (!content || !has_no_execute_taint(*content)) continue;
    if (applied.empty()) return invalid("the applied placement cannot be found on the binding");
    const auto placement = Json::parse(applied);
    if (!placement) return placement.error();
    const auto verdict =
        judge_taints((*content)["spec"]["taints"].elements(),
                     std::as_const(*placement)["clusterTolerations"].elements(), context_.now());
    if (!verdict) return verdict.error();
    if (!verdict->all_tolerated || (verdict->remaining && *verdict->remaining <= Duration::zero())) {
      due.cluster = name;
      return due;
    }
    due.next = std::min({due.next, kLookAgain, verdict->remaining.value_or(kLookAgain)});
  }
  return due;
}

Task<Status> TaintEvictionReconciler::evict_from(ObjectPtr binding, std::string cluster) {
  const Options& options = context_.options;
  auto task = taint_task(*binding->content(), cluster, options.no_execute_taint_eviction_purge_mode,
                         options.feature_gates);
  if (!task) co_return task.error();
  const std::int64_t generation = binding->generation();
  auto writing =
      context_.writer.modify(scope_.kind, Part::Main, binding->key(),
                             [cluster, generation, task = *std::move(task)](Json& object) -> Result<bool> {
                               if (std::as_const(object)["metadata"]["generation"].as_int() != generation)
                                 return Error(Code::Conflict, "the binding changed before its eviction");
                               set_evicted(object, evict(std::as_const(object)["spec"], cluster, task));
                               return true;
                             });
  const auto written = co_await std::move(writing);
  co_return written ? Status() : Status(written.error());
}

void TaintEvictionReconciler::tell(const Json& binding, std::string_view type, std::string_view reason,
                                   const std::string& message) {
  context_.events.record(binding, type, reason, message);
  context_.events.record(template_reference(binding), type, reason, message);
}

}  // namespace flotilla::controllers
