// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/apiserver/admission/chain.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/subresources.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kAuthorization = "authorization.k8s.io";
constexpr std::int64_t kShortestToken = 600;
constexpr std::int64_t kLongestToken = std::int64_t{1} << 32;

Cause invalid_cause(std::string_view field, std::string message) {
  return {"FieldValueInvalid", "Invalid value: " + std::move(message), std::string(field)};
}

std::string paths_text(const Json& attributes) {
  return "authorization.NonResourceAttributes{Path:" + quoted(attributes["path"].as_string()) +
         ", Verb:" + quoted(attributes["verb"].as_string()) + "}";
}

Status check_spec(const Resource& resource, const Json& spec, std::string_view ns) {
  std::vector<Cause> causes;
  const bool resources = spec["resourceAttributes"].is_object();
  const bool paths = spec["nonResourceAttributes"].is_object();
  const bool local = resource.kind == "LocalSubjectAccessReview";
  if (resources && paths) {
    causes.push_back(invalid_cause("spec.nonResourceAttributes",
                                   paths_text(spec["nonResourceAttributes"]) +
                                       ": cannot be specified in combination with resourceAttributes"));
  } else if (!resources && !paths) {
    causes.push_back(invalid_cause(
        "spec.resourceAttributes",
        "\"null\": exactly one of nonResourceAttributes or resourceAttributes must be specified"));
  }
  if (resource.kind != "SelfSubjectAccessReview" && spec["user"].as_string().empty() &&
      spec["groups"].empty()) {
    causes.push_back(invalid_cause("spec.user", "\"\": at least one of user or group must be specified"));
  }
  if (local && paths && !resources) {
    causes.push_back(invalid_cause("spec.nonResourceAttributes", paths_text(spec["nonResourceAttributes"]) +
                                                                     ": disallowed on this kind of request"));
  }
  const std::string_view own = spec["resourceAttributes"]["namespace"].as_string();
  if (local && resources && own != ns) {
    causes.push_back(
        invalid_cause("spec.resourceAttributes.namespace", quoted(own) + ": must match metadata.namespace"));
  }
  if (causes.empty()) return {};
  return object_invalid(kAuthorization, "", "", std::move(causes));
}

Attributes attributes_of(const Json& spec) {
  Attributes out;
  const Json& resource = spec["resourceAttributes"];
  if (resource.is_object()) {
    out.verb = resource["verb"].as_string();
    out.group = resource["group"].as_string();
    out.resource = resource["resource"].as_string();
    out.subresource = resource["subresource"].as_string();
    out.ns = resource["namespace"].as_string();
    out.name = resource["name"].as_string();
    return out;
  }
  out.is_resource = false;
  out.verb = spec["nonResourceAttributes"]["verb"].as_string();
  out.path = spec["nonResourceAttributes"]["path"].as_string();
  return out;
}

UserInfo user_of(const Json& spec) {
  UserInfo user;
  user.name = spec["user"].as_string();
  user.uid = spec["uid"].as_string();
  for (const Json& group : spec["groups"].elements()) user.groups.emplace_back(group.as_string());
  return user;
}

Json user_json(const UserInfo& user) {
  Json out = Json::object();
  if (!user.name.empty()) out.set("username", user.name);
  if (!user.uid.empty()) out.set("uid", user.uid);
  if (!user.groups.empty()) out.set("groups", Json::strings(user.groups));
  for (const auto& [key, values] : user.extra) out["extra"].set(key, Json::strings(values));
  return out;
}

Json access_status(const Decision& decision) {
  Json status = Json::object({{"allowed", decision.allowed}});
  if (!decision.reason.empty()) status.set("reason", decision.reason);
  return status;
}

Json rules_status(const std::vector<PolicyRule>& rules) {
  Json resources = Json::array();
  Json paths = Json::array();
  for (const PolicyRule& rule : rules) {
    if (!rule.resources.empty()) {
      Json entry = Json::object({{"verbs", Json::strings(rule.verbs)},
                                 {"apiGroups", Json::strings(rule.groups)},
                                 {"resources", Json::strings(rule.resources)}});
      if (!rule.names.empty()) entry.set("resourceNames", Json::strings(rule.names));
      resources.push_back(std::move(entry));
    }
    if (!rule.urls.empty()) {
      paths.push_back(Json::object(
          {{"verbs", Json::strings(rule.verbs)}, {"nonResourceURLs", Json::strings(rule.urls)}}));
    }
  }
  return Json::object({{"resourceRules", std::move(resources)},
                       {"nonResourceRules", std::move(paths)},
                       {"incomplete", false}});
}

Json token_status(const Server& server, const Json& spec) {
  std::vector<std::string> audiences;
  for (const Json& audience : spec["audiences"].elements()) audiences.emplace_back(audience.as_string());
  const auto reviewed = server.authenticator->review(spec["token"].as_string(), audiences, server.now());
  if (!reviewed) {
    return Json::object({{"user", Json::object()}, {"error", reviewed.error().message()}});
  }
  return Json::object({{"authenticated", true},
                       {"user", user_json(reviewed->user)},
                       {"audiences", Json::strings(reviewed->audiences)}});
}

// The object as it came, with field ownership, without what only stored objects have.
Result<Json> review_object(Server& server, Call& call) {
  auto options = read_write_options(server, call, "CreateOptions");
  if (!options) return std::move(options).error();
  auto body = read_body(server, call);
  if (!body) return std::move(body).error();
  auto draft = api::draft_create(*call.resource, std::move(body->json), body->duplicates, options->write);
  if (!draft) return std::move(draft).error();
  for (std::string& warning : draft->warnings) call.warn(std::move(warning));
  Json object = std::move(draft->object);
  Json& metadata = object["metadata"];
  for (const std::string_view key : {"uid", "resourceVersion", "generation"}) metadata.erase(key);
  metadata.set("creationTimestamp", nullptr);
  return object;
}

}  // namespace

http::Response serve_review(Server& server, Call& call) {
  auto object = review_object(server, call);
  if (!object) return error_response(call, object.error());
  const std::string& kind = call.resource->kind;
  const Json spec = std::as_const(*object)["spec"];
  Json status;
  if (kind == "TokenReview") {
    if (spec["token"].as_string().empty()) {
      return error_response(call,
                            Error(Code::BadRequest, "token is required for TokenReview in authentication"));
    }
    status = token_status(server, spec);
  } else if (kind == "SelfSubjectReview") {
    status = Json::object({{"userInfo", user_json(call.user)}});
  } else if (kind == "SelfSubjectRulesReview") {
    if (spec["namespace"].as_string().empty()) {
      return error_response(call, Error(Code::BadRequest, "no namespace on request"));
    }
    status = rules_status(server.authorizer.rules_for(call.user, spec["namespace"].as_string()));
  } else {
    if (auto valid = check_spec(*call.resource, spec, call.info.ns); !valid)
      return error_response(call, valid.error());
    const UserInfo user = kind == "SelfSubjectAccessReview" ? call.user : user_of(spec);
    status = access_status(server.authorizer.authorize(user, attributes_of(spec)));
  }
  object->set("status", std::move(status));
  return json_response(call, 201, *object);
}

Task<http::Response> serve_token(ServerPtr server, CallPtr call) {
  auto body = read_body(*server, *call);
  if (!body) co_return error_response(*call, body.error());
  const ObjectPtr account = server->store.get(collection_of(*call->resource), call->info.ns, call->info.name);
  if (!account) co_return error_response(*call, object_not_found(call->group_resource(), call->info.name));
  Json request = std::move(body->json);
  Json& spec = request["spec"];
  const std::int64_t seconds = std::as_const(spec)["expirationSeconds"].as_int(3600);
  std::vector<Cause> causes;
  if (seconds < kShortestToken) {
    causes.push_back(
        invalid_cause("spec.expirationSeconds",
                      std::to_string(seconds) + ": may not specify a duration less than 10 minutes"));
  } else if (seconds > kLongestToken) {
    causes.push_back(
        invalid_cause("spec.expirationSeconds",
                      std::to_string(seconds) + ": may not specify a duration larger than 2^32 seconds"));
  }
  if (!causes.empty()) {
    co_return error_response(
        *call, object_invalid("authentication.k8s.io", "TokenRequest", call->info.name, std::move(causes)));
  }
  TokenRequest wanted;
  wanted.ns = call->info.ns;
  wanted.service_account = call->info.name;
  wanted.uid = account->uid();
  wanted.expiration_seconds = seconds;
  for (const Json& audience : std::as_const(spec)["audiences"].elements())
    wanted.audiences.emplace_back(audience.as_string());
  if (wanted.audiences.empty()) wanted.audiences.push_back(server->authenticator->signer().issuer());
  wanted.bound_object = std::as_const(spec)["boundObjectRef"];
  if (server->webhooks.webhooks()) {
    auto asking = admit_body(server, call, Verb::Create, request, false);
    if (auto admitted = co_await std::move(asking); !admitted)
      co_return error_response(*call, admitted.error());
  }
  auto token = server->authenticator->signer().sign(wanted, server->now());
  if (!token) co_return error_response(*call, token.error());
  spec.set("audiences", Json::strings(wanted.audiences));
  spec.set("expirationSeconds", seconds);
  if (!spec.contains("boundObjectRef")) spec.set("boundObjectRef", nullptr);
  request.set("kind", "TokenRequest");
  request.set("apiVersion", "authentication.k8s.io/v1");
  request["metadata"] = Json::object({{"name", call->info.name},
                                      {"namespace", call->info.ns},
                                      {"creationTimestamp", format_time(server->now())}});
  request.set(
      "status",
      Json::object({{"token", *std::move(token)},
                    {"expirationTimestamp", format_time(server->now() + std::chrono::seconds(seconds))}}));
  co_return json_response(*call, 201, request);
}

}  // namespace flotilla::apiserver
