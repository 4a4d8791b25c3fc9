// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/webhook_review.hpp"

#include "core/apiserver/errors.hpp"
#include "core/apiserver/versions.hpp"
#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

Json gvk_json(const api::Gvk& gvk) {
  return Json::object({{"group", gvk.group}, {"version", gvk.version}, {"kind", gvk.kind}});
}

Json gvr_json(const Resource& resource) {
  return Json::object(
      {{"group", resource.group}, {"version", resource.version}, {"resource", resource.resource}});
}

// As the webhook wants to see it. Objects of subresources with a kind of their own stay as they are.
Json in_version(const Json& object, const AdmissionAttributes& attributes, const Resource& version) {
  if (!object.is_object() || &version == attributes.resource.get()) return object;
  if (attributes.kind != attributes.resource->gvk()) return object;
  return convert(version, object);
}

Error invalid_answer(std::string why) {
  return Error(Code::Internal, "received invalid webhook response: " + std::move(why));
}

std::string gvk_text(std::string_view api_version, std::string_view kind) {
  return std::string(api_version) + ", Kind=" + std::string(kind);
}

}  // namespace

Json admission_review(const Webhook& webhook, const AdmissionAttributes& attributes, const Resource& version,
                      const std::string& uid) {
  const bool own_kind = attributes.kind == attributes.resource->gvk();
  Json request = Json::object({{"uid", uid},
                               {"kind", gvk_json(own_kind ? version.gvk() : attributes.kind)},
                               {"resource", gvr_json(version)},
                               {"requestKind", gvk_json(attributes.kind)},
                               {"requestResource", gvr_json(*attributes.resource)},
                               {"operation", verb_text(attributes.verb)},
                               {"userInfo", user_info(attributes.user)},
                               {"object", in_version(attributes.object, attributes, version)},
                               {"oldObject", in_version(attributes.old_object, attributes, version)},
                               {"dryRun", attributes.dry_run},
                               {"options", attributes.options}});
  if (!attributes.subresource.empty()) {
    request.set("subResource", attributes.subresource);
    request.set("requestSubResource", attributes.subresource);
  }
  if (!attributes.name.empty()) request.set("name", attributes.name);
  if (!attributes.ns.empty()) request.set("namespace", attributes.ns);
  return Json::object({{"kind", "AdmissionReview"},
                       {"apiVersion", "admission.k8s.io/" + webhook.review_version},
                       {"request", std::move(request)}});
}

Result<WebhookAnswer> read_answer(const Webhook& webhook, std::string_view body, const std::string& uid) {
  const auto review = Json::parse(body);
  if (!review || !review->is_object()) {
    return Error(Code::Internal, "failed to call webhook: couldn't get version/kind; json parse error: " +
                                     std::string(review ? "not an object" : review.error().message()));
  }
  const std::string wanted = "admission.k8s.io/" + webhook.review_version;
  const std::string_view version = (*review)["apiVersion"].as_string();
  const std::string_view kind = (*review)["kind"].as_string();
  if (version != wanted || kind != "AdmissionReview") {
    return invalid_answer("expected webhook response of " + gvk_text(wanted, "AdmissionReview") + ", got " +
                          gvk_text(version, kind));
  }
  const Json& response = (*review)["response"];
  if (!response.is_object()) return invalid_answer("webhook response was absent");
  if (response["uid"].as_string() != uid) {
    return invalid_answer("expected response.uid=" + quoted(uid) + ", got " +
                          quoted(response["uid"].as_string()));
  }
  const std::string_view patch = response["patch"].as_string();
  const bool typed = response["patchType"].is_string();
  if (!webhook.mutating && !patch.empty())
    return invalid_answer("validating webhook may not return response.patch");
  if (!webhook.mutating && typed)
    return invalid_answer("validating webhook may not return response.patchType");
  if (!patch.empty() && !typed)
    return invalid_answer("webhook returned response.patch but not response.patchType");
  if (patch.empty() && typed)
    return invalid_answer("webhook returned response.patchType but not response.patch");
  if (typed && response["patchType"].as_string() != "JSONPatch") {
    return invalid_answer("webhook returned invalid response.patchType of " +
                          quoted(response["patchType"].as_string()));
  }
  WebhookAnswer answer;
  answer.allowed = response["allowed"].as_bool();
  answer.status = response["status"];
  if (!patch.empty()) {
    auto decoded = base64_decode(patch);
    if (!decoded)
      return Error(Code::Internal, "failed to call webhook: illegal base64 data in response.patch");
    answer.patch = *std::move(decoded);
  }
  for (const Json& warning : response["warnings"].elements())
    answer.warnings.emplace_back(warning.as_string());
  for (const auto& [key, value] : response["auditAnnotations"].members())
    answer.annotations[std::string(key)] = value.as_string();
  return answer;
}

Error denied(const Webhook& webhook, const Json& status) {
  std::string message = "admission webhook " + quoted(webhook.name) + " denied the request";
  const std::string_view said = status["message"].as_string();
  const std::string_view reason = status["reason"].as_string();
  if (!said.empty()) {
    message += ": " + std::string(said);
  } else if (!reason.empty()) {
    message += ": " + std::string(reason);
  } else {
    message += " without explanation";
  }
  ErrorDetails details;
  details.reason = reason.empty() ? kNoReason : reason;
  details.http_code = std::max(static_cast<int>(status["code"].as_int()), 400);
  const Json& given = status["details"];
  details.name = given["name"].as_string();
  details.group = given["group"].as_string();
  details.kind = given["kind"].as_string();
  details.uid = given["uid"].as_string();
  details.retry_after_seconds = static_cast<int>(given["retryAfterSeconds"].as_int());
  for (const Json& cause : given["causes"].elements()) {
    details.causes.push_back({std::string(cause["reason"].as_string()),
                              std::string(cause["message"].as_string()),
                              std::string(cause["field"].as_string())});
  }
  return Error(Code::Forbidden, std::move(message), std::move(details));
}

}  // namespace flotilla::apiserver
