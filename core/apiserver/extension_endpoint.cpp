// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/extension_endpoint.hpp"

#include "core/api/patch/last_applied.hpp"
#include "core/apiserver/custom/conversion.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/versions.hpp"
#include "core/apiserver/write/writes.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kPrefix = "/flotilla/v1/";
constexpr std::string_view kApplyQuery = "dryRun=All&fieldManager=flotillactl";

store::StoredKind stored_kind(const Call& call, const ResourcePtr& resource) {
  const ResourcePtr storage = storage_resource(*call.served, resource);
  return store::StoredKind::of(storage ? *storage : *resource);
}

Status authorize(const Server& server, const Call& call, const Access& access) {
  Attributes attributes;
  attributes.verb = access.verb;
  attributes.group = access.group;
  attributes.resource = access.resource;
  attributes.subresource = access.subresource;
  attributes.ns = access.ns;
  attributes.name = access.name;
  const Decision decision = server.authorizer.authorize(call.user, attributes);
  if (decision.allowed) return {};
  std::string message = forbidden_message(call.user, attributes);
  if (!decision.reason.empty()) message += ": " + decision.reason;
  return object_forbidden({access.group, access.resource}, access.name, message);
}

// The call that applying this manifest would be.
Result<CallPtr> apply_call(const Server& server, const Call& call, const Json& manifest) {
  const api::Gvk gvk = api::Gvk::of(manifest);
  auto inner = std::make_shared<Call>();
  inner->served = call.served;
  inner->user = call.user;
  inner->resource = call.served->registry.find_kind(gvk);
  if (!inner->resource) {
    return not_found("no matches for kind \"" + gvk.kind + "\" in version \"" + gvk.api_version() + "\"");
  }
  const Resource& resource = *inner->resource;
  const std::string ns(api::namespace_of(manifest));
  const std::string name(api::name_of(manifest));
  if (name.empty()) return Error(Code::BadRequest, gvk.kind + ": metadata.name is missing");
  if (resource.namespaced && ns.empty())
    return Error(Code::BadRequest, gvk.kind + " " + name + ": metadata.namespace is missing");
  RequestInfo& info = inner->info;
  info.is_resource = true;
  info.group = resource.group;
  info.version = resource.version;
  info.resource = resource.resource;
  info.ns = resource.namespaced ? ns : std::string();
  inner->query = Query(kApplyQuery);
  inner->planned_namespaces = call.planned_namespaces;
  const bool exists = server.store.get(collection_of(resource), info.ns, name) != nullptr;
  info.verb = exists ? "patch" : "create";
  info.name = exists ? name : std::string();
  info.authorization_name = info.name;
  inner->request.method = exists ? "PATCH" : "POST";
  const Status allowed =
      authorize(server, call, {info.verb, info.group, info.resource, {}, info.ns, info.name});
  if (!allowed) return allowed.error();
  return inner;
}

DraftFunction merge_as_applied(CallPtr call, Json manifest, api::WriteOptions write) {
  return [call, manifest, write](const Json& live) -> Result<api::Draft> {
    const auto last = Json::parse(api::annotation_of(live, api::kLastApplied));
    const Json wanted = api::with_last_applied(manifest);
    const Json patch = api::three_way_patch(last ? *last : Json(), wanted, live);
    return api::draft_patch(*call->resource, live, api::PatchType::Merge, patch.dump(), write);
  };
}

Task<Result<AppliedManifest>> admit_manifest(ServerPtr server, CallPtr call, Json manifest) {
  auto inner = apply_call(*server, *call, manifest);
  if (!inner) co_return std::move(inner).error();
  const CallPtr apply = *std::move(inner);
  const bool creates = apply->info.verb == "create";
  auto options = read_write_options(*server, *apply, creates ? "CreateOptions" : "PatchOptions");
  if (!options) co_return std::move(options).error();
  Task<Result<Committed>> committing;
  if (creates) {
    auto draft = api::draft_create(*apply->resource, api::with_last_applied(manifest), {}, options->write);
    if (!draft) co_return std::move(draft).error();
    committing = commit_create(server, apply, *options, *std::move(draft));
  } else {
    committing =
        commit_change(server, apply, *options, merge_as_applied(apply, manifest, options->write), false);
  }
  auto committed = co_await std::move(committing);
  if (!committed) co_return std::move(committed).error();
  for (const std::string& warning : apply->warnings) call->warn(warning);
  auto converting = convert_for_store(server, apply, std::move(committed->dry_object));
  auto stored = co_await std::move(converting);
  if (!stored) co_return std::move(stored).error();
  if (apply->resource->group.empty() && apply->resource->resource == "namespaces")
    call->planned_namespaces.insert(std::string(api::name_of(*stored)));
  co_return AppliedManifest{stored_kind(*call, apply->resource), *std::move(stored)};
}

// Errors: NotFound, when the path names no resource.
Result<std::optional<ExtensionCall::Target>> target_of(const Call& call, std::string_view rest) {
  if (rest.empty()) return std::optional<ExtensionCall::Target>();
  const RequestInfo info = read_request("GET", rest, Query());
  const ResourcePtr resource = call.served->registry.find_resource(info.group, info.version, info.resource);
  const bool one = resource != nullptr && !info.name.empty() && info.subresource.empty() &&
                   resource->namespaced == !info.ns.empty();
  if (!one) return not_found("the path names no object: " + std::string(rest));
  return std::optional(ExtensionCall::Target{stored_kind(call, resource), {info.ns, info.name}});
}

}  // namespace

bool is_extension_path(const Call& call) {
  return call.info.path.starts_with(kPrefix);
}

Task<http::Response> serve_extension(ServerPtr server, CallPtr call) {
  if (!server->extension || call->info.parts.size() < 3) co_return page_not_found();
  if (!call->user.in_group("system:authenticated")) {
    co_return error_response(*call, Error(Code::Forbidden, "forbidden: log in first", ErrorDetails{}));
  }
  auto asked = std::make_shared<ExtensionCall>();
  asked->method = call->request.method;
  asked->word = call->info.parts[2];
  std::string_view rest(call->request.path);
  rest.remove_prefix(kPrefix.size());
  rest = rest.size() > asked->word.size() ? rest.substr(asked->word.size()) : std::string_view();
  auto target = target_of(*call, rest);
  if (!target) co_return error_response(*call, target.error());
  asked->target = *std::move(target);
  for (const auto& [name, value] : call->query.pairs()) asked->query.try_emplace(name, value);
  if (!call->request.body.empty()) {
    auto body = read_body(*server, *call);
    if (!body) co_return error_response(*call, body.error());
    asked->body = std::move(body->json);
  }
  asked->authorize = [server, call](const Access& access) { return authorize(*server, *call, access); };
  asked->admit = [server, call](Json manifest) { return admit_manifest(server, call, std::move(manifest)); };
  auto answering = server->extension(asked);
  auto answer = co_await std::move(answering);
  asked->authorize = nullptr;
  asked->admit = nullptr;
  if (!answer) co_return error_response(*call, answer.error());
  co_return json_response(*call, 200, *answer);
}

}  // namespace flotilla::apiserver
