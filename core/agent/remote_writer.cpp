// SPDX-License-Identifier: Apache-2.0
#include "core/agent/remote_writer.hpp"

#include "core/store/metadata_rules.hpp"

namespace flotilla::agent {
namespace {

using api::ObjectKey;
using api::ObjectPtr;
using store::Part;

constexpr int kTries = 8;

std::string_view subresource_of(Part part) {
  return part == Part::Status ? "status" : part == Part::Finalize ? "finalize" : "";
}

}  // namespace

Task<Result<ObjectPtr>> RemoteWriter::create(StoredKind kind, Json object, store::WriteOptions options) {
  const Json status = options.with_status ? std::as_const(object)["status"] : Json();
  object.set("apiVersion", kind.gvk.api_version());
  object.set("kind", kind.gvk.kind);
  const std::string ns(api::namespace_of(object));
  auto posting = remote_.send("POST", path_of(kind, ns), for_remote(std::move(object)));
  Result<Json> answer = co_await std::move(posting);
  if (!answer) co_return std::move(answer).error();
  if (status.is_object() && kind.has_status_subresource) {
    Json with_status = *answer;
    with_status.set("status", status);
    const std::string name(api::name_of(with_status));
    auto putting = remote_.send("PUT", path_of(kind, ns, name, "status"), std::move(with_status));
    Result<Json> whole = co_await std::move(putting);
    if (!whole) co_return std::move(whole).error();
    answer = std::move(whole);
  }
  auto taking = taken(kind, *std::move(answer));
  co_return co_await std::move(taking);
}

Task<Result<ObjectPtr>> RemoteWriter::update(StoredKind kind, Part part, Json object,
                                             store::WriteOptions options) {
  ObjectKey key = api::key_of(object);
  if (!kind.namespaced) key.ns.clear();
  const auto wanted = std::make_shared<const Json>(std::move(object));
  Change change = [wanted](Json& current) -> Result<bool> {
    const Json marks = std::as_const(current)["metadata"];
    current = *wanted;
    // The versions are those of what it replaces, unless the writer names one.
    Json& metadata = current["metadata"];
    metadata.set("remoteResourceVersion", marks["remoteResourceVersion"]);
    if (std::as_const(metadata)["resourceVersion"].as_string().empty())
      metadata.set("resourceVersion", marks["resourceVersion"]);
    return true;
  };
  auto modifying = modify(std::move(kind), part, std::move(key), std::move(change), std::move(options));
  co_return co_await std::move(modifying);
}

Task<Result<Json>> RemoteWriter::put(StoredKind kind, Part part, Json object) {
  const std::string ns = kind.namespaced ? std::string(api::namespace_of(object)) : std::string();
  const std::string name(api::name_of(object));
  object.set("apiVersion", kind.gvk.api_version());
  object.set("kind", kind.gvk.kind);
  const bool whole = part == Part::Whole && kind.has_status_subresource;
  const Json status = whole ? std::as_const(object)["status"] : Json();
  auto putting = remote_.send("PUT", path_of(kind, ns, name, subresource_of(part)), std::move(object));
  Result<Json> answer = co_await std::move(putting);
  if (!answer || !whole || std::as_const(*answer)["status"] == status) co_return answer;
  Json second = *std::move(answer);
  second.set("status", status);
  auto again = remote_.send("PUT", path_of(kind, ns, name, "status"), std::move(second));
  co_return co_await std::move(again);
}

// 1. What is known. 2. The change. 3. Sent, guarded by its version over there. 4. In conflict: what is there
// now, and again.
Task<Result<ObjectPtr>> RemoteWriter::modify(StoredKind kind, Part part, ObjectKey key, Change change,
                                             store::WriteOptions) {
  const Place place(kind.collection(), key);
  for (int tries = 1;; ++tries) {
    auto finding = known(kind, key);
    const Result<ObjectPtr> current = co_await std::move(finding);
    if (!current) co_return current.error();
    const auto live = (*current)->content();
    Json object = *live;
    Result<bool> changed = change(object);
    if (!changed) co_return std::move(changed).error();
    if (!*changed || store::same_content(*live, object)) co_return *current;
    const Revision wanted = api::revision_of(object);
    if (wanted.get() != 0 && wanted != api::revision_of(*live))
      co_return store::modified_error(kind, key.name);
    if (mirror_.follows(place.first)) object = for_remote(std::move(object));
    auto putting = put(kind, part, std::move(object));
    Result<Json> answer = co_await std::move(putting);
    if (answer) {
      auto taking = taken(kind, *std::move(answer));
      co_return co_await std::move(taking);
    }
    drop(place);
    if (!answer.error().is(Code::Conflict) || tries == kTries) co_return std::move(answer).error();
    auto looking = mirror_.look_again(kind, key);
    const auto there = co_await std::move(looking);
    if (!there) co_return there.error();
    if (!mirror_.follows(place.first)) keep(place, *there);
  }
}

Task<Result<store::Writer::Deleted>> RemoteWriter::remove(StoredKind kind, ObjectKey key,
                                                          store::DeleteOptions options) {
  if (!options.annotations.empty()) {
    Change note = [notes = options.annotations](Json& object) -> Result<bool> {
      for (const auto& [name, value] : notes) object.make({"metadata", "annotations", name}) = value;
      return true;
    };
    auto noting = modify(kind, Part::Main, key, std::move(note), {});
    const auto noted = co_await std::move(noting);
    if (!noted) co_return noted.error();
  }
  Json body = Json::object({{"apiVersion", "v1"}, {"kind", "DeleteOptions"}});
  if (!options.propagation.empty()) body.set("propagationPolicy", options.propagation);
  if (!options.uid.empty()) body.set("preconditions", Json::object({{"uid", options.uid}}));
  auto deleting = remote_.send("DELETE", path_of(kind, key.ns, key.name), std::move(body));
  Result<Json> answer = co_await std::move(deleting);
  if (!answer) co_return std::move(answer).error();
  drop({kind.collection(), key});
  Deleted deleted;
  deleted.gone = (*answer)["kind"].as_string() == "Status" || store::is_released(kind, *answer);
  if (deleted.gone) {
    deleted.object = store().get(kind.collection(), key.ns, key.name);
    co_return deleted;
  }
  auto taking = taken(kind, *std::move(answer));
  auto left = co_await std::move(taking);
  if (!left) co_return std::move(left).error();
  deleted.object = *std::move(left);
  co_return deleted;
}

Task<Result<ObjectPtr>> RemoteWriter::known(StoredKind kind, ObjectKey key) {
  if (mirror_.follows(kind.collection())) {
    ObjectPtr current = store().get(kind.collection(), key.ns, key.name);
    if (!current) co_return store::not_found_error(kind, key.name);
    co_return current;
  }
  const Place place(kind.collection(), key);
  {
    std::lock_guard lock(mutex_);
    if (const auto it = kept_.find(place); it != kept_.end()) co_return it->second;
  }
  auto looking = mirror_.look_again(std::move(kind), std::move(key));
  co_return co_await std::move(looking);
}

Task<Result<ObjectPtr>> RemoteWriter::taken(StoredKind kind, Json answer) {
  const Place place(kind.collection(), api::key_of(answer));
  auto taking = mirror_.take(std::move(kind), std::move(answer));
  Result<ObjectPtr> object = co_await std::move(taking);
  if (object && !mirror_.follows(place.first)) keep(place, *object);
  co_return object;
}

void RemoteWriter::keep(const Place& place, ObjectPtr object) {
  std::lock_guard lock(mutex_);
  if (kept_.insert_or_assign(place, std::move(object)).second) order_.push_back(place);
  while (order_.size() > kMostKept) {
    kept_.erase(order_.front());
    order_.pop_front();
  }
}

void RemoteWriter::drop(const Place& place) {
  std::lock_guard lock(mutex_);
  kept_.erase(place);
}

}  // namespace flotilla::agent
