// SPDX-License-Identifier: Apache-2.0
#include "core/store/writer.hpp"

#include "core/store/metadata_rules.hpp"

namespace flotilla::store {
namespace {

constexpr int kNameTries = 8;

Error name_required(const StoredKind& kind) {
  const std::string why = "Required value: name or generateName is required";
  ErrorDetails details;
  details.group = kind.gvk.group;
  details.kind = kind.gvk.kind;
  details.causes.push_back({"FieldValueRequired", why, "metadata.name"});
  const std::string group_kind =
      kind.gvk.group.empty() ? kind.gvk.kind : kind.gvk.kind + "." + kind.gvk.group;
  return Error(Code::Invalid, group_kind + " \"\" is invalid: metadata.name: " + why, std::move(details));
}

std::string_view subresource_of(Part part) {
  return part == Part::Status ? "status" : part == Part::Finalize ? "finalize" : "";
}

}  // namespace

Writer::Writer(Store& store, const Clock& clock, Admission admission)
    : store_(store), clock_(clock), admission_(std::move(admission)) {}

Status Writer::admit(const StoredKind& kind, AdmissionRequest::Operation operation,
                     std::string_view subresource, const Json* old_object, bool dry_run, Json& object) const {
  if (!admission_) return {};
  AdmissionRequest request;
  request.operation = operation;
  request.kind = &kind;
  request.subresource = subresource;
  request.old_object = old_object;
  request.dry_run = dry_run;
  return admission_(request, object);
}

Task<Result<ObjectPtr>> Writer::create(StoredKind kind, Json object, WriteOptions options) {
  Json status = options.with_status ? std::as_const(object)["status"] : Json();
  Status prepared = prepare_create(kind, clock_.now(), object);
  if (!prepared) co_return std::move(prepared).error();
  if (status.is_object()) object.set("status", std::move(status));
  const std::string base(std::as_const(object)["metadata"]["generateName"].as_string());
  const bool generate = api::name_of(object).empty();
  if (generate && base.empty()) co_return name_required(kind);
  const Collection collection = kind.collection();
  for (int tried = 1;; ++tried) {
    Json candidate = tried < kNameTries && generate ? object : std::move(object);
    Json admitted_late;
    if (generate) candidate["metadata"].set("name", generated_name(base));
    Status admitted =
        admit(kind, AdmissionRequest::Operation::Create, {}, nullptr, options.dry_run, candidate);
    if (!admitted) co_return std::move(admitted).error();
    if (wants_late(kind, AdmissionRequest::Operation::Create, {})) {
      LateWrite write{kind,           AdmissionRequest::Operation::Create, {}, std::move(candidate), {},
                      options.dry_run};
      auto asking = late_.run(std::move(write));
      Result<Json> answer = co_await std::move(asking);
      if (!answer) co_return std::move(answer).error();
      candidate = *std::move(answer);
      admitted_late = candidate;
    }
    complete_create(kind, candidate);
    const ObjectKey key = api::key_of(candidate);
    ObjectPtr existing = store_.get(collection, key.ns, key.name);
    if (!existing && options.dry_run) co_return api::Object::make(candidate, Revision());
    if (!existing) {
      auto creating = store_.create(collection, std::move(candidate), options.durability);
      Result<ObjectPtr> created = co_await std::move(creating);
      if (created) co_return created;
      if (!admitted_late.is_null()) {
        auto undoing = undo_late(kind, {}, std::move(admitted_late), nullptr, options);
        co_await std::move(undoing);
      }
      if (!created.error().is(Code::AlreadyExists)) co_return created;
      existing = store_.get(collection, key.ns, key.name);
    } else if (!admitted_late.is_null()) {
      auto undoing = undo_late(kind, {}, std::move(admitted_late), nullptr, options);
      co_await std::move(undoing);
    }
    if (!generate) co_return already_exists_error(kind, key.name, existing && existing->deleting());
    if (tried == kNameTries) co_return name_exhausted_error(kind, key.name);
  }
}

// An answer that wrote nothing still shows a state that must be safe.
Task<Result<ObjectPtr>> Writer::settled(ObjectPtr object, WriteOptions options) {
  if (options.durability == Durability::Wait) {
    auto waiting = store_.durable(object->revision());
    Status safe = co_await std::move(waiting);
    if (!safe) co_return std::move(safe).error();
  }
  co_return object;
}

Task<Result<ObjectPtr>> Writer::write_over(const StoredKind& kind, Part part, ObjectPtr current, Json object,
                                           WriteOptions options, bool& retry) {
  retry = false;
  const std::shared_ptr<const Json> live = current->content();
  Status valid = check_update(kind, part, *live, object);
  if (!valid) co_return std::move(valid).error();
  Json next = prepare_update(kind, part, *live, std::move(object));
  Status admitted = admit(kind, AdmissionRequest::Operation::Update, subresource_of(part), live.get(),
                          options.dry_run, next);
  if (!admitted) co_return std::move(admitted).error();
  if (part != Part::Status) settle_generation(kind, *live, next);
  if (same_content(*live, next)) {
    auto settling = settled(current, options);
    co_return co_await std::move(settling);
  }
  Json admitted_late;
  if (wants_late(kind, AdmissionRequest::Operation::Update, subresource_of(part))) {
    LateWrite write{
        kind,           AdmissionRequest::Operation::Update, std::string(subresource_of(part)), next, *live,
        options.dry_run};
    auto asking = late_.run(std::move(write));
    Result<Json> answer = co_await std::move(asking);
    if (!answer) co_return std::move(answer).error();
    if (!(*answer == next)) {
      next = prepare_update(kind, part, *live, *std::move(answer));
      if (part != Part::Status) settle_generation(kind, *live, next);
    }
    admitted_late = next;
  }
  if (is_released(kind, next)) {
    if (options.dry_run) co_return api::Object::make(next, current->revision());
    auto removing = store_.remove(kind.collection(), current->key(), current->revision(), options.durability);
    Result<ObjectPtr> removed = co_await std::move(removing);
    if (removed) co_return api::Object::make(next, current->revision());
    retry = removed.error().is(Code::Conflict);
    co_return std::move(removed).error();
  }
  if (options.dry_run) co_return api::Object::make(next, current->revision());
  auto updating = store_.update(kind.collection(), std::move(next), current->revision(), options.durability,
                                options.beside ? *options.beside : SideValues());
  Result<ObjectPtr> updated = co_await std::move(updating);
  if (!updated) retry = updated.error().is(Code::Conflict);
  if (!updated && !admitted_late.is_null()) {
    auto undoing = undo_late(kind, subresource_of(part), std::move(admitted_late), *live, options);
    co_await std::move(undoing);
  }
  co_return updated;
}

Task<void> Writer::undo_late(const StoredKind& kind, std::string_view subresource, Json object, Json live,
                             WriteOptions options) {
  if (!late_.undo || options.dry_run) co_return;
  const bool creates = live.is_null();
  LateWrite write{kind,
                  creates ? AdmissionRequest::Operation::Create : AdmissionRequest::Operation::Update,
                  std::string(subresource),
                  std::move(object),
                  std::move(live),
                  false};
  auto undoing = late_.undo(std::move(write));
  co_await std::move(undoing);
}

Task<Result<ObjectPtr>> Writer::update(StoredKind kind, Part part, Json object, WriteOptions options) {
  ObjectKey key = api::key_of(object);
  if (!kind.namespaced) key.ns.clear();
  const Revision expected = api::revision_of(object);
  for (;;) {
    const ObjectPtr current = store_.get(kind.collection(), key.ns, key.name);
    if (!current) co_return not_found_error(kind, key.name);
    const bool fixed = expected.get() != 0;
    if (fixed && expected != current->revision()) co_return modified_error(kind, key.name);
    bool retry = false;
    Json candidate = fixed ? std::move(object) : object;
    auto writing = write_over(kind, part, current, std::move(candidate), options, retry);
    Result<ObjectPtr> written = co_await std::move(writing);
    if (!retry && !written && written.error().is(Code::NotFound)) co_return not_found_error(kind, key.name);
    if (!retry) co_return written;
    if (fixed) co_return modified_error(kind, key.name);
  }
}

Task<Result<ObjectPtr>> Writer::modify(StoredKind kind, Part part, ObjectKey key, Change change,
                                       WriteOptions options) {
  for (;;) {
    const ObjectPtr current = store_.get(kind.collection(), key.ns, key.name);
    if (!current) co_return not_found_error(kind, key.name);
    Json object = *current->content();
    Result<bool> changed = change(object);
    if (!changed) co_return std::move(changed).error();
    if (!*changed) {
      auto settling = settled(current, options);
      co_return co_await std::move(settling);
    }
    const Revision wanted = api::revision_of(object);
    if (wanted.get() != 0 && wanted != current->revision()) co_return modified_error(kind, key.name);
    bool retry = false;
    auto writing = write_over(kind, part, current, std::move(object), options, retry);
    Result<ObjectPtr> written = co_await std::move(writing);
    if (!retry && !written && written.error().is(Code::NotFound)) co_return not_found_error(kind, key.name);
    if (!retry) co_return written;
  }
}

Task<Result<Writer::Deleted>> Writer::remove(StoredKind kind, ObjectKey key, DeleteOptions options) {
  const Collection collection = kind.collection();
  const WriteOptions write{options.durability, options.dry_run};
  for (;;) {
    const ObjectPtr current = store_.get(collection, key.ns, key.name);
    if (!current) co_return not_found_error(kind, key.name);
    Status allowed = check_preconditions(kind, options, *current);
    if (!allowed) co_return std::move(allowed).error();
    const std::shared_ptr<const Json> live = current->content();
    Json object = *live;
    allowed = admit(kind, AdmissionRequest::Operation::Delete, {}, live.get(), options.dry_run, object);
    if (!allowed) co_return std::move(allowed).error();
    if (wants_late(kind, AdmissionRequest::Operation::Delete, {})) {
      LateWrite write{kind, AdmissionRequest::Operation::Delete, {}, {}, *live, options.dry_run};
      auto asking = late_.run(std::move(write));
      Result<Json> answer = co_await std::move(asking);
      if (!answer) co_return std::move(answer).error();
    }
    object = *live;
    const DeleteStep step = plan_delete(kind, options, clock_.now(), object);
    const bool removes = step == DeleteStep::Remove;
    if (step == DeleteStep::Keep) {
      auto settling = settled(current, write);
      Result<ObjectPtr> kept = co_await std::move(settling);
      if (!kept) co_return std::move(kept).error();
      co_return Deleted{*std::move(kept), false};
    }
    for (const auto& [key, value] : options.annotations)
      object.make({"metadata", "annotations", key}) = value;
    if (options.dry_run) co_return Deleted{api::Object::make(object, current->revision()), removes};
    auto writing = removes ? store_.remove(collection, key, current->revision(), options.durability)
                           : store_.update(collection, object, current->revision(), options.durability);
    Result<ObjectPtr> written = co_await std::move(writing);
    if (!written && written.error().is(Code::Conflict)) continue;
    if (!written && written.error().is(Code::NotFound)) co_return not_found_error(kind, key.name);
    if (!written) co_return std::move(written).error();
    ObjectPtr answer = *std::move(written);
    // A pod's last answer says that it is deleting.
    if (removes && kind.graceful) answer = api::Object::make(object, answer->revision());
    co_return Deleted{std::move(answer), removes};
  }
}

}  // namespace flotilla::store
