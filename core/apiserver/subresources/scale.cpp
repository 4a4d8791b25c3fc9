// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/api/patch/managed_fields.hpp"
#include "core/api/patch/patch.hpp"
#include "core/api/validation/field_error.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/subresources/subresources.hpp"
#include "core/apiserver/versions.hpp"

namespace flotilla::apiserver {
namespace {

Status check_scale_type(const Json& scale) {
  const std::string_view version = scale["apiVersion"].as_string();
  const std::string_view kind = scale["kind"].as_string();
  if (!version.empty() && version != "autoscaling/v1") {
    return Error(Code::BadRequest, "the API version in the data (" + std::string(version) +
                                       ") does not match the expected API version (autoscaling/v1)");
  }
  if (!kind.empty() && kind != "Scale") {
    return Error(Code::BadRequest, std::string(kind) +
                                       " in version \"v1\" cannot be handled as a Scale: no kind " +
                                       quoted(kind) +
                                       " is registered for version \"autoscaling/v1\" in scheme "
                                       "\"k8s.io/apimachinery/pkg/runtime/scheme.go:100\"");
  }
  return {};
}

// A scale is named as the object whose it is.
Status check_scale_place(const Call& call, const Json& scale) {
  const std::string_view name = scale["metadata"]["name"].as_string(),
                         ns = scale["metadata"]["namespace"].as_string();
  if (!ns.empty() && ns != call.info.ns) {
    return Error(Code::BadRequest,
                 "the namespace of the provided object does not match the namespace sent on the request");
  }
  if (name.empty()) {
    return Error(Code::BadRequest, "the name of the object (" + call.info.name +
                                       " based on URL) was undeterminable: name must be provided");
  }
  if (name == call.info.name) return {};
  return Error(Code::BadRequest, "the name of the object (" + std::string(name) +
                                     ") does not match the name on the URL (" + call.info.name + ")");
}

// The parent with the replicas that `scale` asks for.
Result<api::Draft> draft_scale(const Call& call, const Json& live, const Json& scale,
                               const api::WriteOptions& options) {
  const Resource& resource = *call.resource;
  const std::string_view version = scale["metadata"]["resourceVersion"].as_string();
  if (!version.empty() && version != live["metadata"]["resourceVersion"].as_string()) {
    return object_modified(call.group_resource(), call.info.name);
  }
  const Json& replicas = scale["spec"]["replicas"];
  if (!replicas.is_null() && !replicas.is_int()) {
    return Error(Code::BadRequest,
                 "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal " +
                     std::string(replicas.is_string() ? "string" : "number") +
                     " into Go struct field ScaleSpec.spec.replicas of type int32");
  }
  if (replicas.as_int() < 0) {
    return object_invalid("autoscaling", "Scale", call.info.name,
                          {{"FieldValueInvalid",
                            "Invalid value: " + std::to_string(replicas.as_int()) +
                                (resource.scale ? ": should be a non-negative integer"
                                                : ": must be greater than or equal to 0"),
                            "spec.replicas"}});
  }
  api::Draft draft;
  draft.object = live;
  api::set_scale_replicas(resource, replicas.as_int(), draft.object);
  api::FieldWriter writer;
  writer.manager = options.manager;
  writer.api_version = resource.group_version();
  writer.subresource = "scale";
  writer.now = options.now;
  draft.object = api::record_update(*resource.schema, live, std::move(draft.object), writer);
  // What is owned through scale has no time.
  if (Json* fields = draft.object["metadata"].find("managedFields")) {
    for (Json& entry : fields->elements()) {
      if (std::as_const(entry)["subresource"].as_string() == "scale") entry.erase("time");
    }
  }
  return draft;
}

// Server-side apply: what is applied to the scale is applied to the parent's replicas, as an owner of its
// own.
Result<api::Draft> apply_scale(const Call& call, const Json& live, const Json& scale,
                               api::WriteOptions options) {
  const Resource& resource = *call.resource;
  if (auto typed = check_scale_type(scale); !typed) return std::move(typed).error();
  if (!scale["metadata"]["managedFields"].is_null())
    return Error(Code::BadRequest, "metadata.managedFields must be nil");
  if (scale["spec"]["replicas"].as_int() < 0) return draft_scale(call, live, scale, options);
  Json config = Json::object({{"apiVersion", resource.group_version()}, {"kind", resource.kind}});
  Json metadata = Json::object({{"name", api::name_of(live)}});
  if (resource.namespaced) metadata.set("namespace", live["metadata"]["namespace"]);
  if (const Json* version = scale["metadata"].find("resourceVersion"))
    metadata.set("resourceVersion", *version);
  config.set("metadata", std::move(metadata));
  if (scale["spec"]["replicas"].is_int()) api::set_scale(resource, scale, config);
  options.subresource = "scale";
  return api::draft_apply(resource, live, config, options);
}

}  // namespace

Task<http::Response> serve_scale(ServerPtr server, CallPtr call) {
  const std::string ns = call->info.ns;
  const store::Collection collection = collection_of(*call->resource);
  if (call->request.method == "GET") {
    const ObjectPtr object = server->store.get(collection, ns, call->info.name);
    GroupResource shown = call->group_resource();
    if (!call->resource->scale) shown.resource += "/scale";
    if (!object) co_return error_response(*call, object_not_found(shown, call->info.name));
    auto durable = server->store.durable(object->revision());
    if (auto safe = co_await std::move(durable); !safe) co_return error_response(*call, safe.error());
    co_return json_response(*call, 200, scale_of(*call->resource, present(*call, *object)));
  }
  const bool is_patch = call->request.method == "PATCH";
  const auto kind = is_patch ? patch_kind(*call) : Result<PatchKind>(PatchKind::Merge);
  if (!kind) co_return error_response(*call, kind.error());
  const bool is_apply = *kind == PatchKind::Apply;
  auto options = read_write_options(*server, *call, is_patch ? "PatchOptions" : "UpdateOptions", is_apply);
  if (!options) co_return error_response(*call, options.error());
  options->write.subresource.clear();
  const api::WriteOptions write = options->write;
  DraftFunction draft;
  if (is_apply) {
    auto json = Json::parse(call->request.body);
    if (!json && server->options.parse_yaml) json = server->options.parse_yaml(call->request.body);
    if (!json) {
      co_return error_response(*call,
                               Error(Code::BadRequest, "error decoding YAML: " + json.error().message()));
    }
    const auto config = std::make_shared<const Json>(*std::move(json));
    draft = [call, config, write](const Json& live) { return apply_scale(*call, live, *config, write); };
  } else if (is_patch) {
    const PatchKind patch_type = *kind;
    draft = [call, patch_type, write](const Json& live) -> Result<api::Draft> {
      const Json current = scale_of(*call->resource, live);
      auto patched = patch_type == PatchKind::Json ? api::json_patch(current, call->request.body)
                                                   : api::merge_patch(current, call->request.body);
      if (!patched) return std::move(patched).error();
      Json& scale = patched->object;
      // Only a version that the patch itself names is a precondition.
      if (std::as_const(scale)["metadata"]["resourceVersion"] == current["metadata"]["resourceVersion"]) {
        scale["metadata"].erase("resourceVersion");
      }
      if (auto placed = check_scale_place(*call, scale); !placed) return std::move(placed).error();
      auto drafted = draft_scale(*call, live, scale, write);
      constexpr std::string_view kStart = "json: ";
      if (drafted || !drafted.error().is(Code::BadRequest)) return drafted;
      const std::string& message = drafted.error().message();
      const std::size_t why = message.find(kStart);
      if (why == message.npos) return drafted;
      api::FieldErrors errors;
      errors.invalid("patch", scale.dump(), message.substr(why));
      return errors.to_error("", "", "");
    };
  } else {
    auto body = read_body(*server, *call);
    if (!body) co_return error_response(*call, body.error());
    if (auto typed = check_scale_type(body->json); !typed) co_return error_response(*call, typed.error());
    if (auto placed = check_scale_place(*call, body->json); !placed)
      co_return error_response(*call, placed.error());
    const auto scale = std::make_shared<const Json>(std::move(body->json));
    draft = [call, scale, write](const Json& live) { return draft_scale(*call, live, *scale, write); };
  }
  auto committing = commit_change(server, call, *std::move(options), std::move(draft), false);
  auto committed = co_await std::move(committing);
  if (!committed) co_return error_response(*call, committed.error());
  const Json shown = committed->object ? present(*call, *committed->object) : committed->dry_object;
  co_return json_response(*call, 200, scale_of(*call->resource, shown));
}

}  // namespace flotilla::apiserver
