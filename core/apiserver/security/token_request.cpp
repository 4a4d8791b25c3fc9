// SPDX-License-Identifier: Apache-2.0
// serviceaccounts/token: a signed token, bound to a pod, a secret or a node where that is asked for
// (k8s-api 10.2).
#include "core/apiserver/admission/chain.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/subresources/subresources.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::int64_t kShortestToken = 600;
constexpr std::int64_t kLongestToken = std::int64_t{1} << 32;

Status check_seconds(const Call& call, std::int64_t seconds) {
  std::string why;
  if (seconds < kShortestToken) why = "may not specify a duration less than 10 minutes";
  if (seconds > kLongestToken) why = "may not specify a duration larger than 2^32 seconds";
  if (why.empty()) return {};
  return object_invalid("authentication.k8s.io", "TokenRequest", call.info.name,
                        {{"FieldValueInvalid", "Invalid value: " + std::to_string(seconds) + ": " + why,
                          "spec.expirationSeconds"}});
}

// What the token is to live and die with, as it is now. Errors: as clients see them.
Result<Json> bound_object(const Server& server, const Call& call, const Json& reference,
                          TokenRequest& wanted) {
  if (!reference.is_object()) return Json();
  const std::string kind(reference["kind"].as_string());
  const std::string name(reference["name"].as_string());
  const std::string uid(reference["uid"].as_string());
  const char* resource = kind == "Pod"      ? "pods"
                         : kind == "Secret" ? "secrets"
                         : kind == "Node"   ? "nodes"
                                            : "";
  const std::string_view version = reference["apiVersion"].as_string();
  if (resource[0] == '\0' || (!version.empty() && version != "v1")) {
    return Error(Code::BadRequest, "cannot bind token for serviceaccount " + quoted(call.info.name) +
                                       " to object of type " + (version.empty() ? "" : std::string(version)) +
                                       ", Kind=" + kind);
  }
  const std::string ns = kind == "Node" ? "" : call.info.ns;
  const ObjectPtr object = server.store.get(store::collection_of("", resource), ns, name);
  if (!object) return object_not_found({"", resource}, name);
  if (kind == "Pod") {
    const auto pod = object->content();
    const Json& spec = (*pod)["spec"];
    if (spec["serviceAccountName"].as_string() != call.info.name) {
      return Error(Code::BadRequest, "cannot bind token for serviceaccount " + quoted(call.info.name) +
                                         " to pod running with different serviceaccount name.");
    }
    wanted.node_name = spec["nodeName"].as_string();
    if (const ObjectPtr node = wanted.node_name.empty() ? ObjectPtr()
                                                        : server.store.get(store::collection_of("", "nodes"),
                                                                           "", wanted.node_name)) {
      wanted.node_uid = node->uid();
    }
  }
  if (!uid.empty() && uid != object->uid()) {
    return object_conflict(
        {"", resource}, name,
        "the UID in the bound object reference (" + uid +
            ") does not match the UID in record. The object might have been deleted and then "
            "recreated");
  }
  return Json::object({{"kind", kind}, {"name", name}, {"uid", object->uid()}});
}

// The answer: the request as it was understood, and the token.
void complete(const Server& server, const Call& call, const TokenRequest& wanted, std::string token,
              Json& request) {
  Json& spec = request["spec"];
  spec.set("audiences", Json::strings(wanted.audiences));
  spec.set("expirationSeconds", wanted.expiration_seconds);
  if (!spec.contains("boundObjectRef")) spec.set("boundObjectRef", nullptr);
  request.set("kind", "TokenRequest");
  request.set("apiVersion", "authentication.k8s.io/v1");
  request["metadata"] = Json::object({{"name", call.info.name},
                                      {"namespace", call.info.ns},
                                      {"creationTimestamp", format_time(server.now())}});
  const auto end = server.now() + std::chrono::seconds(wanted.expiration_seconds);
  request.set("status",
              Json::object({{"token", std::move(token)}, {"expirationTimestamp", format_time(end)}}));
}

}  // namespace

Task<http::Response> serve_token(ServerPtr server, CallPtr call) {
  auto body = read_body(*server, *call);
  if (!body) co_return error_response(*call, body.error());
  const ObjectPtr account = server->store.get(collection_of(*call->resource), call->info.ns, call->info.name);
  if (!account) co_return error_response(*call, object_not_found(call->group_resource(), call->info.name));
  Json request = std::move(body->json);
  const Json& spec = std::as_const(request)["spec"];
  TokenRequest wanted;
  wanted.ns = call->info.ns;
  wanted.service_account = call->info.name;
  wanted.uid = account->uid();
  wanted.expiration_seconds = spec["expirationSeconds"].as_int(3600);
  if (auto good = check_seconds(*call, wanted.expiration_seconds); !good)
    co_return error_response(*call, good.error());
  for (const Json& audience : spec["audiences"].elements())
    wanted.audiences.emplace_back(audience.as_string());
  if (wanted.audiences.empty()) wanted.audiences.push_back(server->authenticator->signer().issuer());
  const Json reference = spec["boundObjectRef"];
  auto bound = bound_object(*server, *call, reference, wanted);
  if (!bound) co_return error_response(*call, bound.error());
  wanted.bound_object = *std::move(bound);
  if (server->webhooks.webhooks()) {
    auto asking = admit_body(server, call, Verb::Create, request, false);
    if (auto admitted = co_await std::move(asking); !admitted)
      co_return error_response(*call, admitted.error());
  }
  auto token = server->authenticator->signer().sign(wanted, server->now());
  if (!token) co_return error_response(*call, token.error());
  complete(*server, *call, wanted, *std::move(token), request);
  co_return json_response(*call, 201, request);
}

}  // namespace flotilla::apiserver
