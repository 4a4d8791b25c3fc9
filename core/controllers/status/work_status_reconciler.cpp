// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/status/work_status_reconciler.hpp"

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/interpretation.hpp"
#include "core/controllers/manifest_status.hpp"

namespace flotilla::controllers {
namespace {

// The first report of a dispatch brings the first statuses along.
bool is_reported(const Json& work) {
  return api::find_condition(work["status"]["conditions"], api::conditions::kApplied) != nullptr;
}

}  // namespace

WorkStatusReconciler::WorkStatusReconciler(Context& context)
    : LoopController(context, "work-status", {.workers = 8, .max_delay = std::chrono::seconds(30)}),
      reinterpretation_(context, loop_,
                        {interpreter::Operation::InterpretStatus, interpreter::Operation::InterpretHealth}) {
  context.clusters.on_change([this](const cluster::MemberChange& change) { on_member_change(change); });
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) { on_work(event); });
}

void WorkStatusReconciler::on_member_change(const cluster::MemberChange& change) {
  const auto key = work_of(*change.object, change.cluster);
  if (!key) return;
  if (change.ours) {
    const ObjectPtr work = context_.get(kinds::kWork, *key);
    if (work && !is_reported(*work->content())) return;  // the report says it
  }
  loop_.enqueue({kinds::kWork.collection(), *key});
}

void WorkStatusReconciler::on_work(const Event& event) {
  bool due = false;
  {
    std::lock_guard lock(mutex_);
    due = passed_over_.contains(event.object->key());
    if (due && event.type == Event::Type::Deleted) passed_over_.erase(event.object->key());
  }
  if (event.type != Event::Type::Modified) return;
  const auto content = event.object->content();
  if (!is_reported(*content)) return;
  if (due || (*content)["status"]["manifestStatuses"].is_null()) enqueue(event);
}

// Noted before it is looked at once more: a report that comes in between is seen here or by the informer.
ObjectPtr WorkStatusReconciler::pass_over(const ObjectKey& work) {
  {
    std::lock_guard lock(mutex_);
    passed_over_.insert(work);
  }
  ObjectPtr again = context_.get(kinds::kWork, work);
  return again && is_reported(*again->content()) ? again : nullptr;
}

Task<Outcome> WorkStatusReconciler::reconcile(Key key) {
  if (Reinterpretation::is_key(key)) {
    auto spreading = reinterpretation_.spread(key, {kinds::kWork.collection()}, reinterpretation_.its_own());
    co_await std::move(spreading);
    co_return Outcome::done();
  }
  ObjectPtr work = context_.get(kinds::kWork, key.object);
  if (!work || work->deleting()) co_return Outcome::done();
  const auto cluster = api::cluster_of_execution_namespace(key.object.ns);
  const std::shared_ptr<cluster::Member> member = cluster ? context_.clusters.find(*cluster) : nullptr;
  if (!member) co_return Outcome::done();
  if (!is_reported(*work->content())) work = pass_over(key.object);
  if (!work) co_return Outcome::done();
  {
    std::lock_guard lock(mutex_);
    passed_over_.erase(key.object);
  }
  const auto content = work->content();
  const auto manifests = (*content)["spec"]["workload"]["manifests"].elements();
  Json statuses = Json::array();
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    auto looking = look_at(content, member, i);
    const auto seen = co_await std::move(looking);
    if (!seen) co_return Outcome::retry(seen.error());
    if (*seen) statuses.push_back(**seen);
  }
  if (statuses.empty()) co_return Outcome::done();
  auto wanted = std::make_shared<const Json>(std::move(statuses));
  auto writing =
      context_.writer.modify(kinds::kWork, Part::Status, key.object, [wanted](Json& object) -> Result<bool> {
        if (std::as_const(object)["status"]["manifestStatuses"] == *wanted) return false;
        object.make({"status", "manifestStatuses"}) = *wanted;
        return true;
      });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  co_return Outcome::done();
}

Task<Result<std::optional<Json>>> WorkStatusReconciler::look_at(std::shared_ptr<const Json> work,
                                                                std::shared_ptr<cluster::Member> member,
                                                                std::size_t ordinal) {
  const Json& manifest = (*work)["spec"]["workload"]["manifests"].element(ordinal);
  auto resolving = member->resource_of(api::Gvk::of(manifest));
  const auto resource = co_await std::move(resolving);
  if (!resource) co_return resource.error();
  const auto cache = member->cache({resource->group, resource->version, resource->resource});
  auto observed = cache->get(api::namespace_of(manifest), api::name_of(manifest));
  if (!observed) co_return observed.error();
  if (!*observed) co_return std::optional<Json>();
  std::optional<Error> health_fault;
  std::function<Result<Json>(const interpreter::Interpreter&)> reading =
      [&](const interpreter::Interpreter& interpreter) {
        health_fault.reset();
        return manifest_status(interpreter, manifest, static_cast<std::int64_t>(ordinal), **observed,
                               &health_fault);
      };
  auto deciding = decide(context_, std::move(reading));
  auto status = co_await std::move(deciding);
  // Not known yet is not Unknown.
  if (health_fault && interpreter::is_still_asked(*health_fault)) co_return *std::move(health_fault);
  const Json& before = (*work)["status"]["manifestStatuses"].element(ordinal);
  tell_manifest_status(context_.events, *work, manifest, status, health_fault, before);
  if (!status) co_return std::move(status).error();
  co_return std::optional<Json>(*std::move(status));
}

}  // namespace flotilla::controllers
