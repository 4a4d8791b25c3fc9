// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/apiserver/admission/attributes.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/subresources/subresources.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kAuthorization = "authorization.k8s.io";

Cause invalid_cause(std::string_view field, std::string message) {
  return {"FieldValueInvalid", "Invalid value: " + std::move(message), std::string(field)};
}

std::string paths_text(const Json& attributes) {
  return "authorization.NonResourceAttributes{Path:" + quoted(attributes["path"].as_string()) +
         ", Verb:" + quoted(attributes["verb"].as_string()) + "}";
}

// Of what narrows the request. RBAC does not look at it.
void check_selector(const Json& attributes, const char* which, std::vector<Cause>& causes) {
  const Json* selector = attributes.find(which);
  if (selector == nullptr || !selector->is_object()) return;
  const std::string at = std::string("spec.resourceAttributes.") + which;
  const std::string_view raw = (*selector)["rawSelector"].as_string();
  const auto requirements = (*selector)["requirements"].elements();
  if (!raw.empty() && !requirements.empty()) {
    causes.push_back(invalid_cause(at + ".rawSelector",
                                   quoted(raw) + ": may not specified at the same time as requirements"));
  }
  if (raw.empty() && requirements.empty()) {
    causes.push_back({"FieldValueRequired",
                      "Required value: when " + at + " is specified, requirements or rawSelector is required",
                      at + ".requirements"});
  }
  for (std::size_t i = 0; i < requirements.size(); ++i) {
    const std::string here = at + ".requirements[" + std::to_string(i) + "]";
    const std::string_view op = requirements[i]["operator"].as_string();
    const bool listed = op == "In" || op == "NotIn", bare = op == "Exists" || op == "DoesNotExist";
    if (requirements[i]["key"].as_string().empty())
      causes.push_back({"FieldValueRequired", "Required value: must be specified", here + ".key"});
    if (listed && requirements[i]["values"].empty()) {
      causes.push_back({"FieldValueRequired",
                        "Required value: must be specified when `operator` is 'In' or 'NotIn'",
                        here + ".values"});
    }
    if (bare && !requirements[i]["values"].empty()) {
      causes.push_back({"FieldValueForbidden",
                        "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                        here + ".values"});
    }
  }
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
  for (const char* which : {"fieldSelector", "labelSelector"})
    check_selector(spec["resourceAttributes"], which, causes);
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
  for (const auto& [key, values] : spec["extra"].members()) {
    for (const Json& value : values.elements()) user.extra[std::string(key)].emplace_back(value.as_string());
  }
  return user;
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
                       {"user", user_info(reviewed->user)},
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
    status = Json::object({{"userInfo", user_info(call.user)}});
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

}  // namespace flotilla::apiserver
