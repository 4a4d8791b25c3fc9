// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/kube/garbage_reconciler.hpp"

#include <algorithm>

#include "core/controllers/kube/collections.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using api::ObjectKey;
using api::ObjectPtr;
using reconcile::Key;
using reconcile::Outcome;
using store::Event;
using store::Part;
using store::StoredKind;

constexpr const char* kForeground = "foregroundDeletion";
constexpr const char* kOrphan = "orphan";

}  // namespace

std::optional<StoredKind> kind_of_collection(const api::Registry& registry,
                                             const store::Collection& collection) {
  for (const api::ResourcePtr& resource : registry.resources()) {
    if (resource->storage && store::collection_of(resource->group, resource->resource) == collection) {
      return StoredKind::of(*resource);
    }
  }
  return std::nullopt;
}

// An owner may come right after its dependent, and clients look at what they have just deleted.
constexpr auto kPatience = std::chrono::milliseconds(250);

GarbageReconciler::GarbageReconciler(KubeContext& context)
    : context_(context),
      dependents_(context.informers),
      loop_(context.executor, "garbage-collector", *this,
            {.workers = 8, .max_delay = std::chrono::seconds(30), .metrics = context.metrics}) {
  context.informers.on_any([this](const Event& event) { on_any(event); });
}

void GarbageReconciler::on_any(const Event& event) {
  const api::Object& object = *event.object;
  if (event.type == Event::Type::Deleted) return wake_dependents(object.uid());
  const bool owned = !object.owner_uids().empty() &&
                     !(event.previous && event.previous->owner_uids() == object.owner_uids());
  if (owned) loop_.enqueue_after({event.collection, object.key()}, kPatience);
  if (!object.deleting()) return;
  loop_.enqueue_after({event.collection, object.key()}, kPatience);
  wake_dependents(object.uid());
  // A dependent that goes may be what its owner waits for.
  for (const std::string& uid : object.owner_uids()) wake_dependents(uid);
}

void GarbageReconciler::wake_dependents(const std::string& uid) {
  for (const auto& [collection, key] : dependents_.of(uid)) loop_.enqueue({collection, key});
}

Task<Outcome> GarbageReconciler::reconcile(Key key) {
  const auto kind = kind_of_collection(*context_.resources(), key.collection);
  if (!kind) co_return Outcome::done();
  const ObjectPtr object = context_.store.get(key.collection, key.object.ns, key.object.name);
  if (!object) co_return Outcome::done();
  if (object->deleting()) {
    const auto content = object->content();
    if (api::has_finalizer(*content, kForeground)) {
      auto deleting = delete_foreground(*kind, object);
      co_return co_await std::move(deleting);
    }
    if (api::has_finalizer(*content, kOrphan)) {
      auto orphaning = orphan(*kind, object);
      co_return co_await std::move(orphaning);
    }
    co_return Outcome::done();
  }
  if (object->owner_uids().empty()) co_return Outcome::done();
  auto judging = judge(*kind, object);
  co_return co_await std::move(judging);
}

GarbageReconciler::Owner GarbageReconciler::look_up(const Json& reference, const std::string& ns) const {
  const api::Gvk gvk = api::Gvk::from(reference["apiVersion"].as_string(), reference["kind"].as_string());
  const api::ResourcePtr resource = context_.resources()->find_kind({gvk.group, gvk.version, gvk.kind});
  if (!resource) return Owner::Unknown;
  if (resource->namespaced && ns.empty()) return Owner::Unknown;  // a reference that cannot be
  const ObjectPtr owner =
      context_.store.get(store::collection_of(resource->group, resource->resource),
                         resource->namespaced ? ns : std::string(), reference["name"].as_string());
  if (!owner || owner->uid() != reference["uid"].as_string()) return Owner::Absent;
  const bool foreground = owner->deleting() && api::has_finalizer(*owner->content(), kForeground);
  return foreground ? Owner::Foreground : Owner::Present;
}

// 1. An owner is left (or unknown): drop references to those that are gone. 2. None is left: delete, in the
// foreground if one waits in the foreground.
Task<Outcome> GarbageReconciler::judge(StoredKind kind, ObjectPtr object) {
  const auto content = object->content();
  std::vector<std::string> gone;
  bool held = false;
  bool foreground = false;
  for (const Json& reference : (*content)["metadata"]["ownerReferences"].elements()) {
    switch (look_up(reference, object->ns())) {
      case Owner::Absent:
        gone.emplace_back(reference["uid"].as_string());
        break;
      case Owner::Foreground:
        foreground = true;
        break;
      case Owner::Present:
      case Owner::Unknown:
        held = true;
        break;
    }
  }
  if (!held && (foreground || !gone.empty())) {
    const bool blocks = foreground && !dependents_.of(object->uid()).empty();
    auto removing = remove(kind, object, blocks ? "Foreground" : "Background");
    co_return Outcome::of(co_await std::move(removing));
  }
  if (gone.empty()) co_return Outcome::done();
  auto dropping =
      context_.writer.modify(kind, Part::Main, object->key(), [gone](Json& stored) -> Result<bool> {
        Json* references = stored["metadata"].find("ownerReferences");
        if (references == nullptr) return false;
        Json left = Json::array();
        for (const Json& reference : std::as_const(*references).elements()) {
          if (std::find(gone.begin(), gone.end(), reference["uid"].as_string()) == gone.end())
            left.push_back(reference);
        }
        if (left.size() == references->size()) return false;
        *references = std::move(left);
        return true;
      });
  const auto dropped = co_await std::move(dropping);
  if (!dropped && !dropped.error().is(Code::NotFound)) co_return Outcome::retry(dropped.error());
  co_return Outcome::done();
}

// The owner goes when no dependent with blockOwnerDeletion is left.
Task<Outcome> GarbageReconciler::delete_foreground(StoredKind kind, ObjectPtr object) {
  bool blocked = false;
  for (const auto& [collection, key] : dependents_.of(object->uid())) {
    const ObjectPtr dependent = context_.store.get(collection, key.ns, key.name);
    if (!dependent) continue;
    const auto content = dependent->content();
    for (const Json& reference : (*content)["metadata"]["ownerReferences"].elements()) {
      if (reference["uid"].as_string() == object->uid() && reference["blockOwnerDeletion"].as_bool())
        blocked = true;
    }
    if (!dependent->deleting()) loop_.enqueue({collection, key});
  }
  if (blocked) co_return Outcome::again_in(std::chrono::milliseconds(500));
  auto dropping = drop_finalizer(kind, object->key(), kForeground);
  co_return co_await std::move(dropping);
}

Task<Outcome> GarbageReconciler::orphan(StoredKind kind, ObjectPtr object) {
  const std::string uid = object->uid();
  for (const auto& [collection, key] : dependents_.of(uid)) {
    const auto dependent_kind = kind_of_collection(*context_.resources(), collection);
    if (!dependent_kind) continue;
    auto freeing =
        context_.writer.modify(*dependent_kind, Part::Main, key, [uid](Json& stored) -> Result<bool> {
          Json left = Json::array();
          const Json& references = std::as_const(stored)["metadata"]["ownerReferences"];
          for (const Json& reference : references.elements()) {
            if (reference["uid"].as_string() != uid) left.push_back(reference);
          }
          if (left.size() == references.size()) return false;
          if (left.empty()) {
            stored["metadata"].erase("ownerReferences");
          } else {
            stored["metadata"].set("ownerReferences", std::move(left));
          }
          return true;
        });
    const auto freed = co_await std::move(freeing);
    if (!freed && !freed.error().is(Code::NotFound)) co_return Outcome::retry(freed.error());
  }
  auto dropping = drop_finalizer(kind, object->key(), kOrphan);
  co_return co_await std::move(dropping);
}

Task<Status> GarbageReconciler::remove(StoredKind kind, ObjectPtr object, std::string propagation) {
  store::DeleteOptions options;
  options.uid = object->uid();
  options.revision = object->revision();
  options.propagation = std::move(propagation);
  auto removing = context_.writer.remove(std::move(kind), object->key(), std::move(options));
  const auto removed = co_await std::move(removing);
  if (!removed && !removed.error().is(Code::NotFound)) co_return removed.error();
  co_return Status();
}

Task<Outcome> GarbageReconciler::drop_finalizer(StoredKind kind, ObjectKey key, std::string finalizer) {
  auto dropping = context_.writer.modify(kind, Part::Main, key, [finalizer](Json& stored) -> Result<bool> {
    return api::remove_finalizer(stored, finalizer);
  });
  const auto dropped = co_await std::move(dropping);
  if (!dropped && !dropped.error().is(Code::NotFound)) co_return Outcome::retry(dropped.error());
  co_return Outcome::done();
}

}  // namespace flotilla::controllers
