// SPDX-License-Identifier: Apache-2.0
// DELETE: preconditions, finalizers of the garbage collector, grace, then marking or removing (k8s-api 8.1).
#include <algorithm>

#include "core/api/patch/patch.hpp"
#include "core/api/protobuf/protobuf.hpp"
#include "core/apiserver/admission/admission.hpp"
#include "core/apiserver/admission/chain.hpp"
#include "core/apiserver/custom/conversion.hpp"
#include "core/apiserver/read/reads.hpp"
#include "core/apiserver/shape.hpp"
#include "core/apiserver/versions.hpp"
#include "core/apiserver/write/writes.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kCrdCleanup = "customresourcecleanup.apiextensions.k8s.io";
constexpr int kConflictTries = 64;

Error precondition_failed(const Call& call, std::string_view name, std::string_view what,
                          std::string_view wanted, std::string_view found, std::string_view why) {
  if (call.resource->resource == "namespaces" && call.resource->group.empty() && what == "UID") {
    return object_conflict(call.group_resource(), name,
                           "Precondition failed: UID in precondition: " + std::string(wanted) +
                               ", UID in object meta: " + std::string(found));
  }
  GroupResource shown = call.group_resource();
  shown.resource = call.resource->kind;
  return object_conflict(shown, name,
                         "the " + std::string(what) + " in the precondition (" + std::string(wanted) +
                             ") does not match the " + std::string(what) + " in record (" +
                             std::string(found) + "). " + std::string(why));
}

Status check_preconditions(const Call& call, const api::Object& live, const DeleteRequest& request) {
  if (!request.uid.empty() && request.uid != live.uid()) {
    return precondition_failed(call, live.name(), "UID", request.uid, live.uid(),
                               "The object might have been deleted and then recreated");
  }
  const std::string revision = std::to_string(live.revision().get());
  if (!request.version.empty() && request.version != revision) {
    return precondition_failed(call, live.name(), "ResourceVersion", request.version, revision,
                               "The object might have been modified");
  }
  return {};
}

bool orphans_by_default(const Resource& resource) {
  return (resource.group == "batch" && resource.resource == "jobs" && resource.version == "v1") ||
         (resource.group.empty() && resource.resource == "replicationcontrollers");
}

// Which of the two finalizers of the garbage collector the object gets.
std::string_view collector_finalizer(const Resource& resource, const Json& live,
                                     const DeleteRequest& request) {
  if (resource.resource == "events") return {};
  if (request.orphan_dependents) return *request.orphan_dependents ? kOrphan : std::string_view();
  if (request.propagation == "Orphan") return kOrphan;
  if (request.propagation == "Foreground") return kForeground;
  if (request.propagation == "Background") return {};
  if (api::has_finalizer(live, kOrphan)) return kOrphan;
  if (api::has_finalizer(live, kForeground)) return kForeground;
  return orphans_by_default(resource) ? kOrphan : std::string_view();
}

bool is_namespace(const Resource& resource) {
  return resource.group.empty() && resource.resource == "namespaces";
}
bool is_crd(const Resource& resource) {
  return resource.group == "apiextensions.k8s.io" && resource.resource == "customresourcedefinitions";
}

std::int64_t grace_of(const Resource& resource, const Json& live, const DeleteRequest& request) {
  if (!resource.traits.graceful_delete) return 0;
  std::int64_t grace = live["spec"]["terminationGracePeriodSeconds"].as_int(30);
  if (request.grace_seconds) grace = *request.grace_seconds < 0 ? 1 : *request.grace_seconds;
  const std::string_view phase = live["status"]["phase"].as_string();
  if (live["spec"]["nodeName"].as_string().empty() || phase == "Succeeded" || phase == "Failed") return 0;
  return grace;
}

void set_crd_terminating(Json& object, WallTime now) {
  api::add_finalizer(object, kCrdCleanup);
  Json condition = Json::object(
      {{"type", "Terminating"},
       {"status", "True"},
       {"lastTransitionTime", format_time(now)},
       {"reason", "InstanceDeletionPending"},
       {"message", "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"}});
  Json& conditions = object.make({"status", "conditions"});
  for (Json& existing : conditions.elements()) {
    if (existing["type"].as_string() == "Terminating") {
      existing = std::move(condition);
      return;
    }
  }
  conditions.push_back(std::move(condition));
}

// What a deletion leaves: the live object marked, or nothing.
struct Outcome {
  Json object;
  bool marked = false;   // stays, with a deletionTimestamp
  bool changed = false;  // differs from what is stored
};

Outcome decide(const Resource& resource, const Json& live, const DeleteRequest& request, WallTime now) {
  Outcome out{live, false, false};
  Json& metadata = out.object["metadata"];
  const bool was_deleting = std::as_const(metadata)["deletionTimestamp"].is_string();
  const std::string_view wanted = collector_finalizer(resource, live, request);
  const Json before = std::as_const(metadata)["finalizers"];
  api::remove_finalizer(out.object, kOrphan);
  api::remove_finalizer(out.object, kForeground);
  if (!wanted.empty()) api::add_finalizer(out.object, wanted);
  if (is_crd(resource) && !was_deleting) set_crd_terminating(out.object, now);
  const Json& after = std::as_const(metadata)["finalizers"];
  const std::int64_t grace = grace_of(resource, live, request);
  const bool held_by_spec = is_namespace(resource) && live["spec"]["finalizers"].size() > 0;
  const bool namespace_first = is_namespace(resource) && !was_deleting;
  out.marked = after.size() > 0 || grace > 0 || held_by_spec || namespace_first;

  if (resource.traits.graceful_delete && was_deleting && grace > 0) {
    // A later request may only shorten the grace.
    const std::int64_t left = live["metadata"]["deletionGracePeriodSeconds"].as_int();
    if (grace >= left) {
      out.changed = !(before == after);
      return out;
    }
  }
  out.changed = !was_deleting || !(before == after) || resource.traits.graceful_delete;
  const bool shows_mark = out.marked || resource.traits.graceful_delete;
  if (shows_mark && (!was_deleting || resource.traits.graceful_delete)) {
    metadata.set("deletionTimestamp", format_time(now + std::chrono::seconds(grace)));
    if (!is_namespace(resource) && !is_crd(resource)) metadata.set("deletionGracePeriodSeconds", grace);
    const std::int64_t generation = std::as_const(metadata)["generation"].as_int();
    if (generation > 0 && !was_deleting && !is_crd(resource)) metadata.set("generation", generation + 1);
    if (is_namespace(resource)) out.object.make({"status", "phase"}) = "Terminating";
  }
  return out;
}

Status read_options_object(const Json& body, DeleteRequest& request, std::vector<std::string>& dry_run) {
  const Json& grace = body["gracePeriodSeconds"];
  if (grace.is_int()) {
    request.grace_seconds = grace.as_int();
  } else if (!grace.is_null()) {
    return unexpected(std::string("json: cannot unmarshal ") + (grace.is_string() ? "string" : "object") +
                      " into Go struct field DeleteOptions.gracePeriodSeconds of type int64");
  }
  if (body["orphanDependents"].is_bool()) request.orphan_dependents = body["orphanDependents"].as_bool();
  request.propagation = body["propagationPolicy"].as_string();
  request.uid = body["preconditions"]["uid"].as_string();
  request.version = body["preconditions"]["resourceVersion"].as_string();
  for (const Json& value : body["dryRun"].elements()) dry_run.emplace_back(value.as_string());
  return {};
}

Status read_body_options(const Server& server, const Call& call, DeleteRequest& request,
                         std::vector<std::string>& dry_run) {
  const std::string type = media_type_of(call.request.headers.get("Content-Type"));
  Result<Json> parsed = Json::object();
  if (type == "application/vnd.kubernetes.protobuf") {
    parsed = api::decode_protobuf(call.request.body);
  } else if (type == "application/yaml" && server.options.parse_yaml) {
    parsed = server.options.parse_yaml(call.request.body);
  } else {
    parsed = Json::parse(call.request.body);
  }
  if (!parsed)
    return unexpected("couldn't get version/kind; json parse error: " +
                      api::go_json_error(call.request.body));
  if (!parsed->is_object()) {
    return unexpected(
        "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type "
        "struct { "
        "APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
        "\"json:\\\"kind,omitempty\\\"\" }");
  }
  const std::string_view kind = (*parsed)["kind"].as_string();
  const std::string_view version = (*parsed)["apiVersion"].as_string();
  if (!kind.empty() && kind != "DeleteOptions") {
    return unexpected("no kind " + quoted(kind) + " is registered for version " + quoted(version) +
                      " in scheme \"k8s.io/apimachinery/pkg/runtime/scheme.go:100\"");
  }
  return read_options_object(*parsed, request, dry_run);
}

Status validate(const DeleteRequest& request, const std::vector<std::string>& dry_run) {
  std::vector<Cause> causes;
  if (request.orphan_dependents && !request.propagation.empty()) {
    causes.push_back({"FieldValueInvalid",
                      "Invalid value: " + quoted(request.propagation) +
                          ": orphanDependents and deletionPropagation cannot be both set",
                      "propagationPolicy"});
  } else if (!request.propagation.empty() && request.propagation != "Background" &&
             request.propagation != "Foreground" && request.propagation != "Orphan") {
    causes.push_back({"FieldValueNotSupported",
                      "Unsupported value: " + quoted(request.propagation) +
                          ": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
                      "propagationPolicy"});
  }
  if (std::any_of(dry_run.begin(), dry_run.end(), [](const std::string& value) { return value != "All"; })) {
    std::string shown = "[]string{";
    for (std::size_t i = 0; i < dry_run.size(); ++i) shown += (i == 0 ? "" : ", ") + quoted(dry_run[i]);
    causes.push_back(
        {"FieldValueNotSupported", "Unsupported value: " + shown + "}: supported values: \"All\"", "dryRun"});
  }
  if (causes.empty()) return {};
  return options_invalid("DeleteOptions", std::move(causes));
}

}  // namespace

Result<DeleteRequest> read_delete_request(const Server& server, const Call& call) {
  DeleteRequest request;
  std::vector<std::string> dry_run;
  if (!call.request.body.empty()) {
    if (auto read = read_body_options(server, call, request, dry_run); !read) return std::move(read).error();
  } else {
    auto grace = call.query.integer("gracePeriodSeconds");
    if (!grace) return std::move(grace).error();
    request.grace_seconds = *grace;
    if (call.query.has("orphanDependents")) request.orphan_dependents = call.query.flag("orphanDependents");
    request.propagation = call.query.get("propagationPolicy");
    for (const std::string_view value : call.query.all("dryRun")) dry_run.emplace_back(value);
  }
  if (auto valid = validate(request, dry_run); !valid) return std::move(valid).error();
  request.dry_run = !dry_run.empty();
  return request;
}

Task<Result<Removed>> commit_delete(ServerPtr server, CallPtr call, std::string ns, std::string name,
                                    DeleteRequest request) {
  const store::Collection collection = collection_of(*call->resource);
  for (int attempt = 0;; ++attempt) {
    const ObjectPtr live = server->store.get(collection, ns, name);
    if (!live) co_return object_not_found(call->group_resource(), name);
    if (auto met = check_preconditions(*call, *live, request); !met) co_return std::move(met).error();
    const auto content = live->content();
    if (auto admitted = admit_delete(*server, *call, *content, request.dry_run); !admitted) {
      co_return std::move(admitted).error();
    }
    const bool evicts = call->info.subresource == "eviction";  // that was asked about already
    if (!evicts && (has_late_mutation(*server) || has_late_validation(*server, *call))) {
      RequestOptions options;
      options.dry_run = request.dry_run;
      AttributesPtr asked = attributes_of_write(*call, Verb::Delete, Json(), *content, options);
      asked->name = name;
      auto mutating = admit_late_mutation(server, call, asked);
      if (auto admitted = co_await std::move(mutating); !admitted) co_return std::move(admitted).error();
      auto validating = admit_late_validation(server, call, asked);
      if (auto admitted = co_await std::move(validating); !admitted) co_return std::move(admitted).error();
    }
    Outcome outcome = decide(*call->resource, *content, request, server->now());
    if (request.dry_run) co_return Removed{live, !outcome.marked};
    Result<ObjectPtr> done = live;
    if (!outcome.marked) {
      auto removing =
          server->store.remove(collection, live->key(), live->revision(), store::Durability::Wait);
      done = co_await std::move(removing);
      if (done && call->resource->traits.graceful_delete)
        done = api::Object::make(outcome.object, (*done)->revision());
    } else if (outcome.changed) {
      auto updating = server->store.update(collection, std::move(outcome.object), live->revision(),
                                           store::Durability::Wait);
      done = co_await std::move(updating);
    } else {
      auto durable = server->store.durable(live->revision());
      if (auto safe = co_await std::move(durable); !safe) co_return std::move(safe).error();
    }
    if (done) {
      after_write(*server, *call->resource);
      co_return Removed{*std::move(done), !outcome.marked};
    }
    if (done.error().is(Code::NotFound)) co_return object_not_found(call->group_resource(), name);
    if (!done.error().is(Code::Conflict) || attempt + 1 == kConflictTries) co_return std::move(done).error();
  }
}

Task<http::Response> serve_delete(ServerPtr server, CallPtr call) {
  auto request = read_delete_request(*server, *call);
  if (!request) co_return error_response(*call, request.error());
  if (call->resource->group == "batch" && call->resource->resource == "jobs" && !request->orphan_dependents &&
      request->propagation.empty()) {
    call->warn(
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to "
        "remove "
        "them or set propagationPolicy=Orphan to suppress this warning");
  }
  const bool accepted = request->orphan_dependents.has_value() && !*request->orphan_dependents;
  auto deleting = commit_delete(server, call, call->resource->namespaced ? call->info.ns : std::string(),
                                call->info.name, *std::move(request));
  auto removed = co_await std::move(deleting);
  if (!removed) co_return error_response(*call, removed.error());
  if (removed->gone && !call->resource->traits.returns_deleted) {
    co_return json_response(*call, 200,
                            success_status(*call, removed->object->name(), removed->object->uid()));
  }
  if (converts(*call)) {
    auto ahead = convert_ahead(server, call, {removed->object});
    if (Status there = co_await std::move(ahead); !there) co_return error_response(*call, there.error());
  }
  co_return object_response(*server, *call, accepted && !removed->gone ? 202 : 200, removed->object);
}

Task<http::Response> serve_delete_collection(ServerPtr server, CallPtr call) {
  if (auto numbers = check_list_numbers(call->query); !numbers)
    co_return error_response(*call, numbers.error());
  auto selection = Selection::read(*call->resource, call->query);
  if (!selection) co_return error_response(*call, selection.error());
  auto limit = call->query.integer("limit");
  if (!limit) co_return error_response(*call, limit.error());
  if (auto valid = check_list_options(call->query, false); !valid)
    co_return error_response(*call, valid.error());
  auto request = read_delete_request(*server, *call);
  if (!request) co_return error_response(*call, request.error());
  const store::Snapshot snapshot = server->store.list(collection_of(*call->resource), call->info.ns);
  if (converts(*call)) {
    // Selected by and answered in the version that was asked for.
    auto ahead = convert_ahead(server, call, snapshot.objects);
    if (Status there = co_await std::move(ahead); !there) co_return error_response(*call, there.error());
  }
  std::vector<ObjectPtr> chosen;
  for (const ObjectPtr& object : snapshot.objects) {
    if (limit->value_or(0) > 0 && chosen.size() == static_cast<std::size_t>(**limit)) break;
    if (selection->matches(*object, converted_form(*call, *object))) chosen.push_back(object);
  }
  for (const ObjectPtr& object : chosen) {
    auto deleting = commit_delete(server, call, object->ns(), object->name(), *request);
    auto removed = co_await std::move(deleting);
    if (!removed && !removed.error().is(Code::NotFound)) co_return error_response(*call, removed.error());
  }
  ListMeta meta;
  meta.revision = snapshot.revision;
  co_return list_response(server, call, std::move(chosen), meta);
}

}  // namespace flotilla::apiserver
