// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/status/binding_status_reconciler.hpp"

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/give_way.hpp"
#include "core/controllers/interpretation.hpp"
#include "core/controllers/status/aggregate_works.hpp"
#include "core/controllers/templates.hpp"

namespace flotilla::controllers {
namespace {

// The Works of a binding report within moments of each other: one look serves them all. The more there is to
// do, the longer these moments are.
constexpr Duration kGather = std::chrono::milliseconds(10);
constexpr Duration kGatherWhenBusy = std::chrono::milliseconds(50);

constexpr int kAggregateAttempts = 5;

}  // namespace

BindingStatusReconciler::BindingStatusReconciler(Context& context, WorkIndex& works)
    : LoopController(context, "binding-status", reconcile::LoopOptions{.workers = context.options.workers}),
      works_(works),
      reinterpretation_(context, loop_, {interpreter::Operation::AggregateStatus}) {
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    context.informers.on(scope->kind.collection(), [this](const Event& event) { on_binding(event); });
  }
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) { on_work(event); });
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
}

void BindingStatusReconciler::on_cluster(const Event& event) {
  const bool before = event.previous && is_ready(*event.previous->content());
  const bool now = event.type != Event::Type::Deleted && is_ready(*event.object->content());
  if (before != now || event.type == Event::Type::Deleted)
    loop_.enqueue({event.collection, event.object->key()}, reconcile::kBackground);
}

bool BindingStatusReconciler::is_heard(const std::string& cluster) const {
  const ObjectPtr object = context_.get(kinds::kCluster, {"", cluster});
  return object && is_ready(*object->content());
}

Task<void> BindingStatusReconciler::wake_bindings_in(std::string cluster) {
  Turns turns;
  const auto works =
      context_.store.list(kinds::kWork.collection(), api::execution_namespace(cluster)).objects;
  for (const ObjectPtr& work : works) {
    auto waiting = turns.give_way();
    co_await std::move(waiting);
    const auto binding = binding_of_work(*work->content());
    if (binding) loop_.enqueue({binding->scope->kind.collection(), binding->key}, reconcile::kBackground);
  }
}

void BindingStatusReconciler::on_binding(const Event& event) {
  if (event.type == Event::Type::Deleted) return;
  const bool same = event.previous && event.previous->generation() == event.object->generation();
  if (same) return;
  // What is not in its members yet is about to be.
  if (context_.informers.synced())
    loop_.enqueue_after({event.collection, event.object->key()}, kGatherWhenBusy);
  else
    enqueue(event);
}

void BindingStatusReconciler::on_work(const Event& event) {
  // At the start every binding is looked at anyway.
  if (event.type == Event::Type::Added && !context_.informers.synced()) return;
  const auto content = event.object->content();
  if (event.type == Event::Type::Modified && event.previous) {
    const auto before = event.previous->content();
    if ((*before)["status"] == (*content)["status"] && event.previous->deleting() == event.object->deleting())
      return;
  }
  const auto binding = binding_of_work(*content);
  if (!binding) return;
  const bool busy = context_.congestion->urgent.load(std::memory_order_relaxed) > Congestion::kMuch;
  loop_.enqueue_after({binding->scope->kind.collection(), binding->key}, busy ? kGatherWhenBusy : kGather);
}

Task<Outcome> BindingStatusReconciler::reconcile(Key key) {
  if (key.collection == kinds::kCluster.collection()) {
    auto waking = wake_bindings_in(key.object.name);
    co_await std::move(waking);
    co_return Outcome::done();
  }
  if (Reinterpretation::is_key(key)) {
    auto spreading = reinterpretation_.spread(key, binding_collections(), reinterpretation_.its_own());
    co_await std::move(spreading);
    co_return Outcome::done();
  }
  const BindingScope& scope = scope_of(key.collection);
  const ObjectPtr binding = context_.get(scope.kind, key.object);
  if (!binding || binding->deleting()) co_return Outcome::done();
  const auto content = binding->content();

  std::vector<std::shared_ptr<const Json>> keep;
  std::vector<const Json*> works;
  for (const ObjectKey& work_key : works_.of(scope, api::label_of(*content, scope.id_label))) {
    const ObjectPtr work = context_.get(kinds::kWork, work_key);
    if (!work) continue;
    keep.push_back(work->content());
    works.push_back(keep.back().get());
  }
  auto aggregated =
      aggregate_works(*content, works, [this](const std::string& cluster) { return is_heard(cluster); });
  if (!aggregated) co_return Outcome::retry(aggregated.error());

  const WallTime now = context_.now();
  auto items = std::make_shared<const Json>(*std::move(aggregated));
  auto writing = context_.writer.modify(scope.kind, Part::Status, key.object,
                                        [items, now](Json& object) -> Result<bool> {
                                          Json status = binding_status(object, *items, now);
                                          if (status == std::as_const(object)["status"]) return false;
                                          object.set("status", std::move(status));
                                          return true;
                                        });
  const auto written = co_await std::move(writing);
  if (!written)
    co_return written.error().is(Code::NotFound) ? Outcome::done() : Outcome::retry(written.error());
  auto reflecting = write_template_status(*content, *items);
  const Result<bool> reflected = co_await std::move(reflecting);
  tell(*content, reflected.ok() && *reflected, reflected ? Status() : Status(reflected.error()));
  co_return Outcome::of(reflected);
}

// On the binding and on its template.
void BindingStatusReconciler::tell(const Json& binding, bool changed, const Status& reflected) {
  if (reflected && !changed) return;
  const Json template_ = template_reference(binding);
  for (const Json* object : {&binding, &template_}) {
    if (reflected) {
      context_.events.record(*object, reconcile::kNormal, "AggregateStatusSucceed",
                             "Update " + std::string(binding["kind"].as_string()) + "(" +
                                 api::key_of(binding).text() + ") with AggregatedStatus successfully.");
    } else {
      context_.events.record(*object, reconcile::kWarning, "AggregateStatusFailed",
                             reflected.error().message());
    }
  }
}

Task<Result<bool>> BindingStatusReconciler::write_template_status(Json binding, Json aggregated) {
  const WallTime now = context_.now();
  auto items = std::make_shared<const Json>(std::move(aggregated));
  // The template may change while its interpreter is being asked.
  for (int attempt = 0; attempt < kAggregateAttempts; ++attempt) {
    const auto template_ = template_of_binding(context_, binding);
    if (!template_) co_return false;
    const auto content = template_->object->content();
    if (!context_.interpreter.supports(*content, interpreter::Operation::AggregateStatus)) co_return false;
    std::function<Result<Json>(const interpreter::Interpreter&)> aggregating =
        [&](const interpreter::Interpreter& interpreter) {
          return interpreter.aggregate_status(*content, items->elements(), now);
        };
    auto deciding = decide(context_, std::move(aggregating));
    auto status = co_await std::move(deciding);
    if (!status) co_return std::move(status).context("aggregate status");
    if (*status == (*content)["status"]) co_return false;
    auto wanted = std::make_shared<const Json>(*std::move(status));
    auto stale = std::make_shared<bool>(false);
    auto writing = context_.writer.modify(template_->kind, Part::Status, template_->object->key(),
                                          [content, wanted, stale](Json& object) -> Result<bool> {
                                            *stale = object != *content;
                                            if (!*stale) object.set("status", *wanted);
                                            return !*stale;
                                          });
    const auto written = co_await std::move(writing);
    if (!written && !written.error().is(Code::NotFound)) co_return written.error();
    if (!*stale) co_return written.ok();
  }
  co_return Error(Code::Conflict, "the template keeps changing while its status is put together");
}

}  // namespace flotilla::controllers
