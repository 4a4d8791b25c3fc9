// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/retain_replicas/scale_mark_reconciler.hpp"

#include <algorithm>

#include "core/api/names.hpp"
#include "core/controllers/retain_replicas/replicas_sync_plan.hpp"

namespace flotilla::controllers {
namespace {

constexpr Duration kStatusAgain = std::chrono::seconds(1);

std::optional<StoredKind> kind_of(const Context& context, const Collection& collection) {
  const auto served = context.resources();
  for (const api::ResourcePtr& resource : served->resources()) {
    if (store::collection_of(resource->group, resource->resource) == collection)
      return StoredKind::of(*resource);
  }
  return std::nullopt;
}

}  // namespace

ScaleMarkReconciler::ScaleMarkReconciler(Context& context)
    : LoopController(context, "hpa-scale-target-marker") {
  context.informers.on(kinds::kHorizontalPodAutoscaler.collection(),
                       [this](const Event& event) { on_autoscaler(event); });
}

void ScaleMarkReconciler::on_autoscaler(const Event& event) {
  const auto content = event.object->content();
  if (event.type == Event::Type::Deleted || is_propagated_autoscaler(*content)) enqueue_target(*content);
  if (event.type != Event::Type::Modified) return;
  const auto before = event.previous->content();
  if (!((*before)["spec"]["scaleTargetRef"] == (*content)["spec"]["scaleTargetRef"])) enqueue_target(*before);
}

void ScaleMarkReconciler::enqueue_target(const Json& autoscaler) {
  const Json& target = autoscaler["spec"]["scaleTargetRef"];
  const auto resource = context_.resources()->find_kind(api::Gvk::of(target));
  if (!resource) return;
  loop_.enqueue({store::collection_of(resource->group, resource->resource),
                 {std::string(api::namespace_of(autoscaler)), std::string(target["name"].as_string())}});
}

Task<Outcome> ScaleMarkReconciler::reconcile(Key key) {
  const auto kind = kind_of(context_, key.collection);
  const ObjectPtr object = kind ? context_.get(*kind, key.object) : nullptr;
  if (!object || object->deleting()) co_return Outcome::done();
  const auto content = object->content();
  const auto autoscalers =
      context_.store.list(kinds::kHorizontalPodAutoscaler.collection(), key.object.ns).objects;
  const bool scaled = std::any_of(autoscalers.begin(), autoscalers.end(), [&](const ObjectPtr& autoscaler) {
    const auto one = autoscaler->content();
    return is_propagated_autoscaler(*one) && scales(*one, *content);
  });
  auto marking =
      context_.writer.modify(*kind, Part::Main, key.object, [scaled](Json& target) -> Result<bool> {
        const std::string_view label = api::labels::kRetainReplicas;
        if ((api::label_of(target, label) == api::kTrue) == scaled) return false;
        if (scaled) {
          target.make({"metadata", "labels", label}) = api::kTrue;
        } else {
          target["metadata"]["labels"].erase(label);
        }
        return true;
      });
  const auto marked = co_await std::move(marking);
  if (!marked && !marked.error().is(Code::NotFound)) co_return Outcome::retry(marked.error());
  co_return Outcome::done();
}

ReplicasSyncReconciler::ReplicasSyncReconciler(Context& context)
    : LoopController(context, "deployment-replicas-syncer") {
  context.informers.on(kinds::kDeployment.collection(), [this](const Event& event) {
    if (event.type == Event::Type::Deleted) return;
    const std::string* label = event.object->labels().find(api::labels::kRetainReplicas);
    if (label == nullptr || *label != api::kTrue) return;
    if (event.previous) {
      const auto before = event.previous->content(), after = event.object->content();
      const bool same = (*before)["spec"]["replicas"] == (*after)["spec"]["replicas"] &&
                        (*before)["status"]["replicas"] == (*after)["status"]["replicas"] &&
                        event.previous->labels().pairs == event.object->labels().pairs;
      if (same) return;
    }
    enqueue(event);
  });
}

Task<Outcome> ReplicasSyncReconciler::reconcile(Key key) {
  const ObjectPtr deployment = context_.get(kinds::kDeployment, key.object);
  const ObjectPtr binding = context_.get(kinds::kResourceBinding,
                                         {key.object.ns, api::binding_name("Deployment", key.object.name)});
  if (!deployment || deployment->deleting() || !binding) co_return Outcome::done();
  const ReplicasSync sync = plan_replicas_sync(*deployment->content(), *binding->content());
  if (sync.step == ReplicasSync::Step::Wait) co_return Outcome::again_in(kStatusAgain);
  if (sync.step == ReplicasSync::Step::Leave) co_return Outcome::done();
  auto writing = context_.writer.modify(
      kinds::kDeployment, Part::Main, key.object,
      [replicas = sync.replicas, revision = deployment->revision()](Json& object) -> Result<bool> {
        if (api::revision_of(object) != revision)
          return Error(Code::Conflict, "the Deployment changed meanwhile");
        object["spec"].set("replicas", replicas);
        return true;
      });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  co_return Outcome::done();
}

}  // namespace flotilla::controllers
