// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/remedy/remedy_reconciler.hpp"

#include "core/controllers/remedy/remedy_plan.hpp"

namespace flotilla::controllers {

RemedyReconciler::RemedyReconciler(Context& context) : LoopController(context, "remedy-controller") {
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
  context.informers.on(kinds::kRemedy.collection(), [this](const Event& event) { on_remedy(event); });
}

void RemedyReconciler::on_cluster(const Event& event) {
  if (event.type == Event::Type::Deleted) return;
  if (event.previous) {
    const auto before = event.previous->content(), after = event.object->content();
    if ((*before)["status"]["conditions"] == (*after)["status"]["conditions"]) return;
  }
  enqueue(event);
}

void RemedyReconciler::on_remedy(const Event& event) {
  if (event.type == Event::Type::Modified && event.previous->generation() == event.object->generation())
    return;
  const auto after = event.object->content();
  const auto before = event.previous ? event.previous->content() : nullptr;
  const Collection collection = kinds::kCluster.collection();
  for (const ObjectPtr& cluster : context_.store.list(collection).objects) {
    const std::string& name = cluster->name();
    if (remedy_concerns(*after, name) || (before && remedy_concerns(*before, name)))
      loop_.enqueue({collection, cluster->key()});
  }
}

Task<Outcome> RemedyReconciler::reconcile(Key key) {
  const ObjectPtr cluster = context_.get(kinds::kCluster, key.object);
  if (!cluster || cluster->deleting()) co_return Outcome::done();
  auto remedies = std::make_shared<std::vector<Json>>();
  for (const ObjectPtr& remedy : context_.store.list(kinds::kRemedy.collection()).objects)
    remedies->push_back(*remedy->content());
  auto writing = context_.writer.modify(
      kinds::kCluster, Part::Status, key.object, [remedies](Json& object) -> Result<bool> {
        Json actions = remedy_actions(*remedies, object);
        const Json& known = std::as_const(object)["status"]["remedyActions"];
        if (known == actions || (known.empty() && actions.empty())) return false;
        if (actions.empty()) {
          object["status"].erase("remedyActions");
        } else {
          object.make({"status", "remedyActions"}) = std::move(actions);
        }
        return true;
      });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  co_return Outcome::done();
}

}  // namespace flotilla::controllers
