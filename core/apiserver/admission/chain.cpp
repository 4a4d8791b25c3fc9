// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/chain.hpp"

#include "core/apiserver/admission/federated_quota.hpp"
#include "core/apiserver/admission/quota.hpp"
#include "core/apiserver/admission/webhooks.hpp"
#include "core/apiserver/policy/judge.hpp"
#include "core/apiserver/subresources/subresources.hpp"

namespace flotilla::apiserver {
namespace {

std::string_view options_kind(Verb verb) {
  switch (verb) {
    case Verb::Create:
      return "CreateOptions";
    case Verb::Update:
      return "UpdateOptions";
    case Verb::Delete:
      return "DeleteOptions";
    case Verb::Connect:
      break;
  }
  return "";
}

Json options_json(const Call& call, Verb verb, bool dry_run) {
  if (verb == Verb::Connect) return Json();
  std::string_view kind = options_kind(verb);
  if (call.request.method == "PATCH") kind = "PatchOptions";
  Json out = Json::object({{"kind", kind}, {"apiVersion", "meta.k8s.io/v1"}});
  if (dry_run) out.set("dryRun", Json::array({"All"}));
  const std::string_view manager = call.query.get("fieldManager");
  const std::string_view validation = call.query.get("fieldValidation");
  if (!manager.empty()) out.set("fieldManager", manager);
  if (!validation.empty() && verb != Verb::Delete) out.set("fieldValidation", validation);
  if (kind == "PatchOptions" && call.query.flag("force")) out.set("force", true);
  return out;
}

AttributesPtr basics(const Call& call, Verb verb, bool dry_run) {
  auto out = std::make_shared<AdmissionAttributes>();
  out->verb = verb;
  out->resource = call.resource;
  out->kind = call.resource->gvk();
  out->subresource = call.info.subresource;
  out->ns = call.resource->namespaced ? call.info.ns : std::string();
  out->name = call.info.name;
  out->user = call.user;
  out->dry_run = dry_run;
  out->served = call.served;
  out->options = options_json(call, verb, dry_run);
  return out;
}

// Said to the client and in the audit log.
void take_notes(Call& call, AdmissionAttributes& attributes) {
  for (std::string& warning : attributes.warnings) call.warn(std::move(warning));
  attributes.warnings.clear();
  for (auto& [key, value] : attributes.annotations) call.annotations[key] = std::move(value);
  attributes.annotations.clear();
}

bool has_federated_quota(const Server& server, const Resource& resource) {
  return server.options.enforce_federated_quotas &&
         pays_federated_quota(server.store, resource.group, resource.resource);
}

}  // namespace

bool has_late_mutation(const Server& server) {
  const auto webhooks = server.webhooks.webhooks();
  return webhooks && !webhooks->mutating.empty();
}

bool has_late_validation(const Server& server, const Call& call) {
  const auto webhooks = server.webhooks.webhooks();
  return (webhooks && !webhooks->validating.empty()) || server.policies.policies() ||
         may_have_quota(server.store, *call.resource) || has_federated_quota(server, *call.resource);
}

AttributesPtr attributes_of_write(const Call& call, Verb verb, const Json& object, const Json& old_object,
                                  const RequestOptions& options) {
  AttributesPtr out = basics(call, verb, options.dry_run);
  out->object = object;
  out->old_object = old_object;
  if (out->name.empty()) out->name = api::name_of(object.is_object() ? object : old_object);
  if (out->is_namespace()) out->ns = out->name;
  if (verb == Verb::Delete) {
    out->subresource.clear();
    return out;
  }
  if (const api::Subresource* sub = call.resource->subresource(out->subresource); sub != nullptr) {
    if (!sub->gvk.kind.empty()) out->kind = sub->gvk;
  }
  if (out->subresource == "scale") {
    if (object.is_object()) out->object = scale_of(*call.resource, object);
    if (old_object.is_object()) out->old_object = scale_of(*call.resource, old_object);
  }
  return out;
}

AttributesPtr attributes_of_body(const Call& call, Verb verb, const Json& body, bool dry_run) {
  AttributesPtr out = basics(call, verb, dry_run);
  out->object = body;
  const api::Subresource* sub = call.resource->subresource(call.info.subresource);
  if (sub != nullptr && !sub->gvk.kind.empty()) out->kind = sub->gvk;
  if (out->name.empty()) out->name = api::name_of(body);
  if (verb == Verb::Connect) out->kind = api::Gvk::of(body);
  return out;
}

Json connect_options(const Call& call) {
  const std::string& sub = call.info.subresource;
  const std::string kind = sub == "exec"     ? "PodExecOptions"
                           : sub == "attach" ? "PodAttachOptions"
                                             : "PodPortForwardOptions";
  Json out = Json::object({{"kind", kind}, {"apiVersion", "v1"}});
  for (const std::string_view flag : {"stdin", "stdout", "stderr", "tty"}) {
    if (call.query.flag(flag)) out.set(flag, true);
  }
  if (call.query.has("container")) out.set("container", call.query.get("container"));
  for (const std::string_view part : call.query.all("command")) out["command"].push_back(part);
  for (const std::string_view port : call.query.all("ports")) out["ports"].push_back(port);
  return out;
}

Task<Status> admit_late_mutation(ServerPtr server, CallPtr call, AttributesPtr attributes) {
  const auto webhooks = server->webhooks.webhooks();
  if (!webhooks) co_return Status();
  const WebhookContext context{server->executor, server->store, server->fibers, server->authorizer};
  const auto round = std::make_shared<Reinvocation>();
  // The name of an object whose name is generated is not settled yet.
  std::string name;
  if (attributes->verb == Verb::Create && attributes->object.is_object() &&
      !std::as_const(attributes->object)["metadata"]["generateName"].as_string().empty()) {
    name = api::name_of(attributes->object);
    attributes->object["metadata"].erase("name");
    attributes->name.clear();
  }
  auto running = run_mutating_webhooks(context, webhooks, attributes, round);
  Status done = co_await std::move(running);
  if (done && round->wanted) {
    round->again = true;
    auto second = run_mutating_webhooks(context, webhooks, attributes, round);
    done = co_await std::move(second);
  }
  if (!name.empty() && api::name_of(attributes->object).empty())
    attributes->object["metadata"].set("name", name);
  take_notes(*call, *attributes);
  co_return done;
}

Task<Status> admit_late_validation(ServerPtr server, CallPtr call, AttributesPtr attributes) {
  if (const auto policies = server->policies.policies()) {
    const Status judged = judge_by_policies(*policies, *attributes, server->store, server->authorizer);
    take_notes(*call, *attributes);
    if (!judged) co_return judged;
  }
  if (const auto webhooks = server->webhooks.webhooks()) {
    const WebhookContext context{server->executor, server->store, server->fibers, server->authorizer};
    auto running = run_validating_webhooks(context, webhooks, attributes);
    const Status done = co_await std::move(running);
    take_notes(*call, *attributes);
    if (!done) co_return done;
  }
  if (may_have_quota(server->store, *call->resource)) {
    auto charging = charge_quotas(server->store, attributes, server->now());
    if (auto charged = co_await std::move(charging); !charged) co_return charged;
  }
  const bool pays = attributes->verb != Verb::Delete && attributes->subresource.empty() &&
                    has_federated_quota(*server, *call->resource);
  if (!pays) co_return Status();
  auto charging = charge_federated_quotas(server->store, attributes->ns, attributes->old_object,
                                          attributes->object, attributes->dry_run);
  co_return co_await std::move(charging);
}

Task<Status> admit_body(ServerPtr server, CallPtr call, Verb verb, Json body, bool dry_run) {
  if (!server->webhooks.webhooks() && !server->policies.policies()) co_return Status();
  AttributesPtr attributes = attributes_of_body(*call, verb, body, dry_run);
  auto mutating = admit_late_mutation(server, call, attributes);
  if (auto done = co_await std::move(mutating); !done) co_return done;
  auto validating = admit_late_validation(server, call, attributes);
  co_return co_await std::move(validating);
}

}  // namespace flotilla::apiserver
