// SPDX-License-Identifier: Apache-2.0
// What writes through subresources may not do: finalize, approval, ephemeralcontainers.
#include <algorithm>

#include "core/apiserver/admission/admission.hpp"
#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

Status refuse(const Call& call, Cause cause) {
  return object_invalid(call.resource->group, call.resource->kind, call.info.name, {std::move(cause)});
}

Status check_finalize(const Call& call, const Json& object) {
  const auto finalizers = object["spec"]["finalizers"].elements();
  std::vector<Cause> causes;
  for (std::size_t i = 0; i < finalizers.size(); ++i) {
    const std::string_view name = finalizers[i].as_string();
    if (name == "kubernetes" || name.find('/') != std::string_view::npos) continue;
    causes.push_back({"FieldValueInvalid",
                      "Invalid value: " + quoted(name) +
                          ": name is neither a standard finalizer name nor is it fully qualified",
                      "spec.finalizers[" + std::to_string(i) + "]"});
  }
  if (causes.empty()) return {};
  return object_invalid("", "Namespace", call.info.name, std::move(causes));
}

bool has_element(const Json& list, std::string_view key, std::string_view value) {
  const auto elements = list.elements();
  return std::any_of(elements.begin(), elements.end(),
                     [&](const Json& one) { return one[key].as_string() == value; });
}

Status check_ephemeral(const Call& call, const Json& live, const Json& object) {
  std::string gone;
  for (const Json& container : live["spec"]["ephemeralContainers"].elements()) {
    const std::string_view name = container["name"].as_string();
    if (has_element(object["spec"]["ephemeralContainers"], "name", name)) continue;
    gone += "existing ephemeral containers " + quoted(name) + " may not be removed\n";
  }
  if (gone.empty()) return {};
  return refuse(call, {"FieldValueForbidden", "Forbidden: " + gone, "spec.ephemeralContainers"});
}

Status settle_approval(const Call& call, const Json& live, Json& object, WallTime now) {
  const Json& after = std::as_const(object)["status"]["conditions"];
  for (const Json& condition : live["status"]["conditions"].elements()) {
    const std::string_view type = condition["type"].as_string();
    if (has_element(after, "type", type)) continue;
    return refuse(
        call, {"FieldValueForbidden", "Forbidden: updates may not remove a condition of type " + quoted(type),
               "status.conditions"});
  }
  if (after.empty()) return {};
  for (Json& condition : object["status"]["conditions"].elements()) {
    for (const std::string_view key : {"lastUpdateTime", "lastTransitionTime"}) {
      if (std::as_const(condition)[key].is_null()) condition.set(key, format_time(now));
    }
  }
  return {};
}

Status check_certificate(const Call& call, const Json& object) {
  const std::string_view encoded = object["status"]["certificate"].as_string();
  if (encoded.empty()) return {};
  const auto text = base64_decode(encoded);
  if (text && text->find("-----BEGIN CERTIFICATE-----") != std::string::npos) return {};
  return refuse(call,
                {"FieldValueInvalid",
                 "Invalid value: \"<certificate data>\": must contain at least one CERTIFICATE PEM block",
                 "status.certificate"});
}

// Approving and signing need a right on the signer itself: its name, or its domain as "domain/*".
Status may_use_signer(const Server& server, const Call& call, const Json& live, std::string_view verb) {
  const std::string signer(live["spec"]["signerName"].as_string());
  for (const std::string& name : {signer, signer.substr(0, signer.find('/')) + "/*"}) {
    Attributes attributes{
        .verb = std::string(verb), .group = "certificates.k8s.io", .resource = "signers", .name = name};
    if (server.authorizer.authorize(call.user, attributes).allowed) return {};
  }
  return object_forbidden(
      call.group_resource(), call.info.name,
      "user not permitted to " + std::string(verb) + " requests with signerName " + quoted(signer));
}

}  // namespace

Status admit_subresource(const Server& server, const Call& call, const Json& live, Json& object) {
  const WallTime now = server.now();
  const std::string& sub = call.info.subresource;
  if (sub == "finalize") return check_finalize(call, object);
  if (sub == "ephemeralcontainers") return check_ephemeral(call, live, object);
  if (call.resource->group != "certificates.k8s.io") return {};
  if (sub == "approval") {
    if (auto allowed = may_use_signer(server, call, live, "approve"); !allowed) return allowed;
    return settle_approval(call, live, object, now);
  }
  if (sub != "status") return {};
  if (!(live["status"]["certificate"] == std::as_const(object)["status"]["certificate"])) {
    if (auto allowed = may_use_signer(server, call, live, "sign"); !allowed) return allowed;
  }
  return check_certificate(call, object);
}

}  // namespace flotilla::apiserver
