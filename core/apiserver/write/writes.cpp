// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/write/writes.hpp"

#include <algorithm>

#include "core/apiserver/admission/admission.hpp"
#include "core/apiserver/admission/chain.hpp"
#include "core/apiserver/custom/conversion.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/shape.hpp"
#include "core/apiserver/subresources/subresources.hpp"
#include "core/apiserver/versions.hpp"

namespace flotilla::apiserver {
namespace {

constexpr int kNameTries = 8;
constexpr int kConflictTries = 64;
constexpr std::size_t kLongestBase = 58;  // of generateName

Json live_json(const Call& call, const ObjectPtr& object) {
  return object ? present(call, *object) : Json();
}

// No finalizer holds an object that is being deleted any more.
bool is_released(const Json& object) {
  const Json& metadata = object["metadata"];
  if (!metadata["deletionTimestamp"].is_string() || metadata["finalizers"].size() > 0) return false;
  if (metadata["deletionGracePeriodSeconds"].as_int() > 0) return false;
  return !(object["kind"].as_string() == "Namespace" && object["apiVersion"].as_string() == "v1" &&
           object["spec"]["finalizers"].size() > 0);
}

// Owners that are named twice are named once, with a word to the client.
void drop_repeated_owners(Call& call, Json& object) {
  const auto owners = std::as_const(object)["metadata"]["ownerReferences"].elements();
  if (owners.size() < 2) return;
  Json kept = Json::array();
  std::string repeated;
  for (const Json& owner : owners) {
    const auto have = std::as_const(kept).elements();
    if (std::find(have.begin(), have.end(), owner) == have.end()) {
      kept.push_back(owner);
      continue;
    }
    repeated.append(repeated.empty() ? "" : ", ").append(owner["uid"].as_string());
  }
  if (repeated.empty()) return;
  object["metadata"].set("ownerReferences", std::move(kept));
  call.warn(
      ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, "
      "and "
      "may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: " +
      repeated);
}

// Of a draft or of what it became.
template <typename Source>
void add_warnings(Call& call, const Source& source) {
  for (const std::string& warning : source.warnings) call.warn(warning);
}

Error uid_of_missing(const Call& call, std::string_view uid) {
  std::string key = "/registry/" + std::string(collection_of(*call.resource).get()) + "/";
  if (!call.info.ns.empty()) key += call.info.ns + "/";
  return object_conflict(
      call.group_resource(), call.info.name,
      "StorageError: invalid object, Code: 4, Key: " + key + call.info.name +
          ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " +
          std::string(uid) + ", UID in object meta: ");
}

// An error of the store, in terms of the request.
Error named_error(const Call& call, const Error& error, std::string_view name, const ObjectPtr& existing) {
  if (error.details() != nullptr) return error;
  switch (error.code()) {
    case Code::NotFound:
      return object_not_found(call.group_resource(), name);
    case Code::AlreadyExists:
      return object_exists(call.group_resource(), name, existing && existing->deleting());
    case Code::Conflict:
      return object_modified(call.group_resource(), name);
    default:
      return error;
  }
}

http::Response committed_response(const Server& server, const Call& call, const Committed& committed) {
  const int status = committed.created ? 201 : 200;
  if (!committed.object) return object_response(server, call, status, committed.dry_object);
  return object_response(server, call, status, committed.object);
}

Task<http::Response> answer_committed(ServerPtr server, CallPtr call, Committed committed) {
  if (converts(*call)) {
    auto ahead = convert_ahead(server, call, {committed.object});
    if (Status there = co_await std::move(ahead); !there) co_return error_response(*call, there.error());
  }
  co_return committed_response(*server, *call, committed);
}

// The draft as mutating webhooks leave it.
Task<Result<api::Draft>> mutate_draft(ServerPtr server, CallPtr call, Json live, api::Draft draft,
                                      RequestOptions options) {
  const Verb verb = live.is_null() ? Verb::Create : Verb::Update;
  const AttributesPtr asked = attributes_of_write(*call, verb, draft.object, live, options);
  auto mutating = admit_late_mutation(server, call, asked);
  if (auto admitted = co_await std::move(mutating); !admitted) co_return std::move(admitted).error();
  if (asked->subresource == "scale") {
    set_scale(*call->resource, asked->object, draft.object);
    co_return draft;
  }
  Json fields = std::as_const(draft.object)["metadata"]["managedFields"];
  draft.object = std::move(asked->object);
  // Who owns what is the server's to say.
  if (!fields.is_null()) draft.object["metadata"].set("managedFields", std::move(fields));
  co_return draft;
}

}  // namespace

Task<Result<Committed>> commit_create(ServerPtr server, CallPtr call, RequestOptions options,
                                      api::Draft draft) {
  add_warnings(*call, draft);
  drop_repeated_owners(*call, draft.object);
  const std::string base(std::as_const(draft.object)["metadata"]["generateName"].as_string());
  const bool made_up = api::name_of(draft.object).empty() && !base.empty();
  for (int attempt = 0;; ++attempt) {
    api::Draft copy = draft;
    if (made_up)
      copy.object["metadata"].set("name", base.substr(0, kLongestBase) + options.write.name_suffix);
    if (auto admitted = admit_create(*server, *call, copy.object, options); !admitted)
      co_return std::move(admitted).error();
    if (has_late_mutation(*server)) {
      auto mutating = mutate_draft(server, call, Json(), std::move(copy), options);
      auto mutated = co_await std::move(mutating);
      if (!mutated) co_return std::move(mutated).error();
      copy = *std::move(mutated);
    }
    auto written = api::finish(*call->resource, Json(), std::move(copy), options.write);
    if (!written) co_return std::move(written).error();
    add_warnings(*call, *written);
    complete_new(*call, written->object);
    if (auto good = review_write(*server, *call, Json(), written->object); !good)
      co_return std::move(good).error();
    if (has_late_validation(*server, *call)) {
      const AttributesPtr asked = attributes_of_write(*call, Verb::Create, written->object, Json(), options);
      auto validating = admit_late_validation(server, call, asked);
      if (auto admitted = co_await std::move(validating); !admitted) co_return std::move(admitted).error();
    }
    const std::string name(api::name_of(written->object));
    const store::Collection collection = collection_of(*call->resource);
    Committed committed;
    committed.created = true;
    if (options.dry_run) {
      if (const ObjectPtr existing = server->store.get(collection, options.write.ns, name)) {
        co_return object_exists(call->group_resource(), name, existing->deleting());
      }
      committed.dry_object = std::move(written->object);
      co_return committed;
    }
    auto converting = convert_for_store(server, call, std::move(written->object));
    auto stored = co_await std::move(converting);
    if (!stored) co_return std::move(stored).error();
    auto creating = server->store.create(collection, *std::move(stored), store::Durability::Wait);
    auto created = co_await std::move(creating);
    if (created) {
      after_write(*server, *call->resource);
      committed.object = *std::move(created);
      co_return committed;
    }
    const ObjectPtr existing = server->store.get(collection, options.write.ns, name);
    if (!created.error().is(Code::AlreadyExists) || !made_up || attempt + 1 == kNameTries) {
      co_return named_error(*call, created.error(), name, existing);
    }
    options.write.name_suffix = random_suffix();
  }
}

Task<Result<Committed>> commit_change(ServerPtr server, CallPtr call, RequestOptions options,
                                      DraftFunction draft, bool may_create) {
  const store::Collection collection = collection_of(*call->resource);
  for (int attempt = 0;; ++attempt) {
    const ObjectPtr live = server->store.get(collection, options.write.ns, call->info.name);
    if (!live && !may_create) co_return object_not_found(call->group_resource(), call->info.name);
    if (converts(*call)) {
      auto ahead = convert_ahead(server, call, {live});
      if (Status there = co_await std::move(ahead); !there) co_return std::move(there).error();
    }
    const Json before = live_json(*call, live);
    auto drafted = draft(before);
    if (!drafted) co_return named_error(*call, drafted.error(), call->info.name, live);
    if (!live) {
      auto creating = commit_create(server, call, options, *std::move(drafted));
      co_return co_await std::move(creating);
    }
    add_warnings(*call, *drafted);
    drop_repeated_owners(*call, drafted->object);
    if (auto admitted = admit_update(*server, *call, before, drafted->object, options); !admitted) {
      co_return std::move(admitted).error();
    }
    if (has_late_mutation(*server)) {
      auto mutating = mutate_draft(server, call, before, *std::move(drafted), options);
      drafted = co_await std::move(mutating);
      if (!drafted) co_return std::move(drafted).error();
    }
    auto written = api::finish(*call->resource, before, *std::move(drafted), options.write);
    if (!written) co_return std::move(written).error();
    add_warnings(*call, *written);
    if (auto good = review_write(*server, *call, before, written->object); !good)
      co_return std::move(good).error();
    if (has_late_validation(*server, *call)) {
      const AttributesPtr asked = attributes_of_write(*call, Verb::Update, written->object, before, options);
      auto validating = admit_late_validation(server, call, asked);
      if (auto admitted = co_await std::move(validating); !admitted) co_return std::move(admitted).error();
    }
    Committed committed;
    const bool released = is_released(written->object) && live->deleting();
    if (options.dry_run) {
      committed.dry_object = std::move(written->object);
      co_return committed;
    }
    if (written->unchanged && !released) {
      auto durable = server->store.durable(live->revision());
      if (auto safe = co_await std::move(durable); !safe) co_return std::move(safe).error();
      committed.object = live;
      co_return committed;
    }
    auto converting = convert_for_store(server, call, std::move(written->object));
    auto converted = co_await std::move(converting);
    if (!converted) co_return std::move(converted).error();
    Json stored = *std::move(converted);
    if (released) {
      auto removing =
          server->store.remove(collection, live->key(), live->revision(), store::Durability::Wait);
      auto removed = co_await std::move(removing);
      if (removed) {
        after_write(*server, *call->resource);
        committed.deleted = true;
        committed.object = api::Object::make(stored, live->revision());
        co_return committed;
      }
      if (!removed.error().is(Code::Conflict) || attempt + 1 == kConflictTries) {
        co_return named_error(*call, removed.error(), call->info.name, live);
      }
      continue;
    }
    auto updating =
        server->store.update(collection, std::move(stored), live->revision(), store::Durability::Wait);
    auto updated = co_await std::move(updating);
    if (updated) {
      after_write(*server, *call->resource);
      committed.object = *std::move(updated);
      co_return committed;
    }
    if (!updated.error().is(Code::Conflict) || attempt + 1 == kConflictTries) {
      co_return named_error(*call, updated.error(), call->info.name, live);
    }
  }
}

Task<http::Response> serve_create(ServerPtr server, CallPtr call) {
  auto options = read_write_options(*server, *call, "CreateOptions");
  auto body = read_body(*server, *call);
  if (!body) co_return error_response(*call, body.error());
  if (!options) co_return error_response(*call, options.error());
  auto draft = api::draft_create(*call->resource, std::move(body->json), body->duplicates, options->write);
  if (!draft) co_return error_response(*call, draft.error());
  auto committing = commit_create(server, call, *std::move(options), *std::move(draft));
  auto committed = co_await std::move(committing);
  if (!committed) co_return error_response(*call, committed.error());
  auto answering = answer_committed(server, call, *std::move(committed));
  co_return co_await std::move(answering);
}

Task<http::Response> serve_update(ServerPtr server, CallPtr call) {
  auto options = read_write_options(*server, *call, "UpdateOptions");
  auto body = read_body(*server, *call);
  if (!body) co_return error_response(*call, body.error());
  if (!options) co_return error_response(*call, options.error());
  const std::string uid(api::uid_of(body->json));
  const bool creates = call->resource->traits.create_on_update && call->info.subresource.empty();
  const auto shared_body = std::make_shared<const Body>(*std::move(body));
  const api::WriteOptions write = options->write;
  DraftFunction draft = [call, shared_body, write, uid](const Json& live) -> Result<api::Draft> {
    if (!live.is_null())
      return api::draft_update(*call->resource, live, shared_body->json, shared_body->duplicates, write);
    if (!uid.empty()) return uid_of_missing(*call, uid);
    return api::draft_create(*call->resource, shared_body->json, shared_body->duplicates, write);
  };
  if (creates && !server->store.get(collection_of(*call->resource), write.ns, call->info.name)) {
    if (auto allowed = may_create_too(*server, *call); !allowed)
      co_return error_response(*call, allowed.error());
  }
  auto committing =
      commit_change(server, call, *std::move(options), std::move(draft), creates || !uid.empty());
  auto committed = co_await std::move(committing);
  if (!committed) co_return error_response(*call, committed.error());
  auto answering = answer_committed(server, call, *std::move(committed));
  co_return co_await std::move(answering);
}

namespace {

// What is applied has to be an object, in YAML or JSON. Worded as Go's packages do, which name no first line.
Status check_configuration(const Result<Json>& read) {
  constexpr std::string_view kFirst = "line 1: ";
  if (!read) {
    std::string_view why = read.error().message();
    if (why.starts_with(kFirst)) why.remove_prefix(kFirst.size());
    return Error(Code::BadRequest,
                 "error decoding YAML: error converting YAML to JSON: yaml: " + std::string(why));
  }
  if (read->is_object() || read->is_null()) return {};
  const std::string_view type = read->is_array()    ? "array"
                                : read->is_string() ? "string"
                                : read->is_bool()   ? "bool"
                                                    : "number";
  return Error(Code::BadRequest,
               "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " +
                   std::string(type) + " into Go value of type map[string]interface {}");
}

}  // namespace

Task<http::Response> serve_patch(ServerPtr server, CallPtr call) {
  auto kind = patch_kind(*call);
  if (!kind) co_return error_response(*call, kind.error());
  const bool is_apply = *kind == PatchKind::Apply;
  auto options = read_write_options(*server, *call, "PatchOptions", is_apply);
  if (!options) co_return error_response(*call, options.error());
  const api::WriteOptions write = options->write;
  DraftFunction draft;
  if (is_apply) {
    Body body;
    auto json = Json::parse(call->request.body, {}, &body.duplicates);
    if (!json && server->options.parse_yaml) json = server->options.parse_yaml(call->request.body);
    if (auto sound = check_configuration(json); !sound) co_return error_response(*call, sound.error());
    const auto config = std::make_shared<const Json>(*std::move(json));
    draft = [call, config, write](const Json& live) {
      return api::draft_apply(*call->resource, live, *config, write);
    };
    if (!server->store.get(collection_of(*call->resource), write.ns, call->info.name)) {
      if (auto allowed = may_create_too(*server, *call); !allowed)
        co_return error_response(*call, allowed.error());
    }
  } else {
    const api::PatchType type = *kind == PatchKind::Json    ? api::PatchType::Json
                                : *kind == PatchKind::Merge ? api::PatchType::Merge
                                                            : api::PatchType::Strategic;
    draft = [call, type, write](const Json& live) {
      return api::draft_patch(*call->resource, live, type, call->request.body, write);
    };
  }
  auto committing = commit_change(server, call, *std::move(options), std::move(draft),
                                  is_apply && call->info.subresource.empty());
  auto committed = co_await std::move(committing);
  if (!committed) co_return error_response(*call, committed.error());
  auto answering = answer_committed(server, call, *std::move(committed));
  co_return co_await std::move(answering);
}

}  // namespace flotilla::apiserver
