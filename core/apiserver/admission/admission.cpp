// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/admission.hpp"

#include <algorithm>
#include <array>

#include "core/apiserver/admission/builtin.hpp"
#include "core/apiserver/policy/policy.hpp"
#include "core/base/base64.hpp"
#include "core/http/x509.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::array<std::string_view, 3> kImmortal = {"default", "kube-system", "kube-public"};
constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

bool is_review(const Resource& resource) {
  return resource.group == "authorization.k8s.io" || resource.group == "authentication.k8s.io";
}

Status namespace_lifecycle(const Server& server, const Call& call, std::string_view name, bool creates) {
  if (!call.resource->namespaced || call.info.ns.empty() || is_review(*call.resource)) return {};
  const std::string& ns = call.info.ns;
  const ObjectPtr space = server.store.get(store::collection_of("", "namespaces"), "", ns);
  if (!space && call.planned_namespaces.contains(ns)) return {};
  if (!space) return object_not_found({"", "namespaces"}, ns);
  if (!creates || !space->deleting()) return {};
  ErrorDetails details;
  details.name = name;
  details.group = call.resource->group;
  details.kind = call.resource->resource;
  details.causes.push_back(
      {"NamespaceTerminating", "namespace " + ns + " is being terminated", "metadata.namespace"});
  return Error(Code::Forbidden,
               call.group_resource().text() + " " + quoted(name) +
                   " is forbidden: unable to create new content in namespace " + ns +
                   " because it is being terminated",
               std::move(details));
}

std::string groups_text(const std::vector<std::string>& groups) {
  std::string out = "[";
  for (std::size_t i = 0; i < groups.size(); ++i) out += (i == 0 ? "" : " ") + quoted(groups[i]);
  return out + "]";
}

Status escalation_error(const Call& call, std::string_view name, const std::vector<std::string>& missing) {
  std::string text = "user " + quoted(call.user.name) + " (groups=" + groups_text(call.user.groups) +
                     ") is attempting to grant RBAC permissions not currently held:";
  for (const std::string& line : missing) text += "\n" + line;
  return object_forbidden(call.group_resource(), name, text);
}

// Nobody gives away rights that are not theirs (k8s-api 10.6).
Status check_escalation(const Server& server, const Call& call, const Json& live, const Json& object) {
  const Resource& resource = *call.resource;
  if (resource.group != kRbac || call.user.in_group(kMasters)) return {};
  const std::string_view name = api::name_of(object);
  Attributes attributes{.verb = "",
                        .group = std::string(kRbac),
                        .resource = resource.resource,
                        .ns = call.info.ns,
                        .name = std::string(name)};
  const auto allowed = [&](std::string_view verb) {
    attributes.verb = verb;
    return server.authorizer.authorize(call.user, attributes).allowed;
  };
  const auto held = [&] { return server.authorizer.rules_for(call.user, call.info.ns); };
  if (resource.resource == "roles" || resource.resource == "clusterroles") {
    if (live["rules"] == object["rules"] && live["aggregationRule"] == object["aggregationRule"]) return {};
    if (allowed("escalate")) return {};
    // Whoever lets others choose the rules gives away everything.
    if (object["aggregationRule"].is_object() && !(live["aggregationRule"] == object["aggregationRule"])) {
      const std::vector<PolicyRule> everything = {{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}};
      if (!missing_rules(held(), everything).empty()) {
        return object_forbidden(call.group_resource(), name,
                                "must have cluster-admin privileges to use an aggregationRule");
      }
    }
    const auto missing = missing_rules(held(), read_rules(object["rules"]));
    return missing.empty() ? Status() : escalation_error(call, name, missing);
  }
  const Json& reference = object["roleRef"];
  if (live["roleRef"] == reference && live["subjects"] == object["subjects"] && !live.is_null()) return {};
  const bool cluster = reference["kind"].as_string() == "ClusterRole";
  attributes.resource = cluster ? "clusterroles" : "roles";
  attributes.name = reference["name"].as_string();
  if (allowed("bind")) return {};
  const auto rules =
      server.authorizer.role_rules(reference["kind"].as_string(), call.info.ns, attributes.name);
  if (!rules) return object_not_found({std::string(kRbac), attributes.resource}, attributes.name);
  const auto missing = missing_rules(held(), *rules);
  return missing.empty() ? Status() : escalation_error(call, name, missing);
}

Status call_daemon(const Server& server, const Call& call, store::AdmissionRequest::Operation operation,
                   const Json* old_object, bool dry_run, Json& object) {
  if (!server.options.admission) return {};
  const Resource& resource = *call.resource;
  const store::StoredKind kind = store::StoredKind::of(resource);
  store::AdmissionRequest request;
  request.operation = operation;
  request.kind = &kind;
  request.subresource = call.info.subresource;
  request.old_object = old_object;
  request.dry_run = dry_run;
  return server.options.admission(request, object);
}

bool is_pod(const Resource& resource) {
  return resource.group.empty() && resource.resource == "pods";
}

PluginRequest plugin_request(const Server& server, Call& call, bool creates) {
  return {server.store, call.resource->group,   call.resource->resource, call.info.ns,
          creates,      server.options.plugins, &call.warnings,          &call.annotations};
}

// Nothing is scheduled on a node before its controller has seen it ready.
void taint_new_node(Json& node) {
  constexpr std::string_view kNotReady = "node.kubernetes.io/not-ready";
  Json& taints = node.make({"spec", "taints"});
  for (const Json& taint : std::as_const(taints).elements()) {
    if (taint["key"].as_string() == kNotReady && taint["effect"].as_string() == "NoSchedule") return;
  }
  taints.push_back(Json::object({{"effect", "NoSchedule"}, {"key", kNotReady}}));
}

Status shape_new(const Server& server, Call& call, Json& object) {
  const Resource& resource = *call.resource;
  if (!resource.group.empty() && resource.origin != api::Origin::Kubernetes) return {};
  if (auto done = shape_object(plugin_request(server, call, true), object); !done) return done;
  if (resource.group.empty() && resource.resource == "persistentvolumes") {
    api::add_finalizer(object, "kubernetes.io/pv-protection");
  } else if (resource.group.empty() && resource.resource == "nodes") {
    taint_new_node(object);
  } else if (resource.group.empty() && resource.resource == "namespaces") {
    object.make({"metadata", "labels"}).set("kubernetes.io/metadata.name", api::name_of(object));
  }
  return {};
}

// A pod's priority was settled when it was made.
void shape_changed(const Call& call, const Json& live, Json& object) {
  if (call.resource->group == "certificates.k8s.io") {
    object["metadata"].erase("managedFields");
    object.set("spec", live["spec"]);  // what was asked for stays what is signed
  }
  if (!is_pod(*call.resource) || !call.info.subresource.empty()) return;
  Json& spec = object["spec"];
  for (const std::string_view key : {"priority", "preemptionPolicy"}) {
    if (!spec.contains(key) && live["spec"].contains(key)) spec.set(key, live["spec"][key]);
  }
  tolerate_short_outages(spec);
}

// Nobody asks for an administrator's certificate.
Status check_certificate_request(const Call& call, const Json& object) {
  if (call.resource->resource != "certificatesigningrequests") return {};
  if (object["spec"]["signerName"].as_string() != "kubernetes.io/kube-apiserver-client") return {};
  const auto pem = base64_decode(object["spec"]["request"].as_string());
  if (!pem) return {};
  const auto request = http::parse_signing_request(*pem);
  if (!request) return {};
  const auto& groups = request->subject.organizations;
  if (std::find(groups.begin(), groups.end(), kMasters) == groups.end()) return {};
  return object_forbidden(
      call.group_resource(), api::name_of(object),
      "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not "
      "allowed");
}

}  // namespace

Status admit_create(Server& server, Call& call, Json& object, const RequestOptions& options) {
  const std::string_view name = api::name_of(object);
  if (auto done = namespace_lifecycle(server, call, name, true); !done) return done;
  if (call.resource->origin == api::Origin::Custom &&
      call.served->terminating.contains(call.resource->group_resource())) {
    ErrorDetails details;
    details.group = call.resource->group;
    details.kind = call.resource->resource;
    return Error(Code::Unsupported, "create not allowed while custom resource definition is terminating",
                 std::move(details));
  }
  if (auto done = shape_new(server, call, object); !done) return done;
  if (auto done = check_escalation(server, call, Json(), object); !done) return done;
  if (auto done = check_certificate_request(call, object); !done) return done;
  return call_daemon(server, call, store::AdmissionRequest::Operation::Create, nullptr, options.dry_run,
                     object);
}

Status admit_update(Server& server, Call& call, const Json& live, Json& object,
                    const RequestOptions& options) {
  if (auto done = namespace_lifecycle(server, call, api::name_of(object), false); !done) return done;
  if (auto done = check_escalation(server, call, live, object); !done) return done;
  if (auto done = admit_subresource(server, call, live, object); !done) return done;
  shape_changed(call, live, object);
  return call_daemon(server, call, store::AdmissionRequest::Operation::Update, &live, options.dry_run,
                     object);
}

Status review_write(const Server& server, Call& call, const Json& live, const Json& object) {
  if (call.resource->origin != api::Origin::Kubernetes) return {};
  if (!call.info.subresource.empty() && call.info.subresource != "ephemeralcontainers") return {};
  if (auto done = review_policy_kinds(*call.resource, object); !done) return done;
  return review_object(plugin_request(server, call, live.is_null()), live, object);
}

Status admit_delete(Server& server, const Call& call, const Json& live, bool dry_run) {
  if (call.resource->group.empty() && call.resource->resource == "namespaces") {
    const std::string_view name = api::name_of(live);
    if (std::find(kImmortal.begin(), kImmortal.end(), name) != kImmortal.end()) {
      return object_forbidden(call.group_resource(), name, "this namespace may not be deleted");
    }
  }
  Json nothing;
  return call_daemon(server, call, store::AdmissionRequest::Operation::Delete, &live, dry_run, nothing);
}

Status may_create_too(const Server& server, const Call& call) {
  Attributes attributes{.verb = "create",
                        .group = call.info.group,
                        .resource = call.info.resource,
                        .subresource = call.info.subresource,
                        .ns = call.info.ns,
                        .name = call.info.name};
  if (server.authorizer.authorize(call.user, attributes).allowed) return {};
  return object_forbidden(call.group_resource(), call.info.name, forbidden_message(call.user, attributes));
}

void complete_new(const Call& call, Json& object) {
  if (call.resource->group != "certificates.k8s.io" ||
      call.resource->resource != "certificatesigningrequests")
    return;
  object["metadata"].erase("managedFields");
  Json& spec = object["spec"];
  spec.set("username", call.user.name);
  spec.set("groups", Json::strings(call.user.groups));
  spec.erase("extra");
  for (const auto& [key, values] : call.user.extra) spec["extra"].set(key, Json::strings(values));
  if (call.user.uid.empty()) {
    spec.erase("uid");
  } else {
    spec.set("uid", call.user.uid);
  }
}

void after_write(Server& server, const Resource& resource) {
  if (resource.group == kRbac) server.authorizer.touch();
  if (resource.group == "admissionregistration.k8s.io") {
    server.webhooks.touch();
    server.policies.touch();
  }
  if (resource.group == "apiregistration.k8s.io") server.aggregator.touch();
}

}  // namespace flotilla::apiserver
