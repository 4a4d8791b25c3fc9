// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/api/selector.hpp"
#include "core/apiserver/admission/chain.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/subresources/subresources.hpp"

namespace flotilla::apiserver {
namespace {

constexpr int kConflictTries = 16;

Json created_status() {
  return Json::object({{"kind", "Status"},
                       {"apiVersion", "v1"},
                       {"metadata", Json::object()},
                       {"status", "Success"},
                       {"code", 201}});
}

// What is posted to a subresource: of its kind in one of the group's versions, or without a type.
Status check_type(const Json& body, std::string_view group, std::initializer_list<std::string_view> versions,
                  std::string_view kind) {
  const api::GroupVersionKind sent = api::GroupVersionKind::of(body);
  if (sent.kind.empty() && sent.version.empty()) return {};
  const bool known = std::find(versions.begin(), versions.end(), sent.version) != versions.end();
  if ((sent.kind.empty() || sent.kind == kind) && (sent.version.empty() || (sent.group == group && known)))
    return {};
  std::string why = "no kind " + quoted(sent.kind) + " is registered for version " +
                    quoted(sent.api_version()) + " in scheme \"pkg/api/legacyscheme/scheme.go:30\"";
  if (api::Registry::builtin().type_of(sent)) {
    why = "converting (" + sent.version + "." + sent.kind + ") to (" +
          (group.empty() ? std::string("core") : std::string(group)) + "." + std::string(kind) +
          "): unknown conversion";
  }
  return Error(Code::BadRequest, sent.kind + " in version " + quoted(sent.version) +
                                     " cannot be handled as a " + std::string(kind) + ": " + why);
}

// Kubernetes sends what it finds wrong with a binding as an error without a reason.
Status check_binding(const Json& binding, std::string_view name) {
  if (auto typed = check_type(binding, "", {"v1"}, "Binding"); !typed) return typed;
  if (api::name_of(binding) != name)
    return Error(Code::BadRequest, "name in URL does not match name in Binding object");
  const std::string_view kind = binding["target"]["kind"].as_string();
  std::vector<std::string> wrong;
  if (!kind.empty() && kind != "Node") {
    wrong.push_back("target.kind: Unsupported value: " + quoted(kind) +
                    ": supported values: \"Node\", \"<empty>\"");
  }
  if (binding["target"]["name"].as_string().empty()) wrong.emplace_back("target.name: Required value");
  if (wrong.empty()) return {};
  return unexpected(wrong.size() == 1 ? wrong[0] : "[" + wrong[0] + ", " + wrong[1] + "]");
}

std::string names_of(const Json& containers) {
  std::string names;
  for (const Json& one : containers.elements())
    names += (names.empty() ? "" : " ") + std::string(one["name"].as_string());
  return names;
}

// The container that a log or a command is of: the named one, or the only one.
Status check_container(const Json& pod, const std::string& container) {
  const Json& spec = pod["spec"];
  const std::string name(api::name_of(pod));
  if (container.empty()) {
    if (spec["containers"].size() == 1) return {};
    std::string text = "a container name must be specified for pod " + name;
    if (spec["containers"].size() > 1) {
      text += ", choose one of: [" + names_of(spec["containers"]) + "]";
      if (spec["initContainers"].size() > 0)
        text += " or one of the init containers: [" + names_of(spec["initContainers"]) + "]";
    }
    return Error(Code::BadRequest, text);
  }
  for (const std::string_view list : {"containers", "initContainers", "ephemeralContainers"}) {
    for (const Json& one : spec[list].elements()) {
      if (one["name"].as_string() == container) return {};
    }
  }
  return Error(Code::BadRequest, "container " + container + " is not valid for pod " + name);
}

Status check_log_options(const Query& query, const std::string& name) {
  std::vector<Cause> causes;
  const auto at_least = [&](std::string_view option, std::int64_t least) -> Status {
    auto number = query.integer(option);
    if (!number) return std::move(number).error();
    if (*number && **number < least) {
      causes.push_back(
          {"FieldValueInvalid",
           "Invalid value: " + std::to_string(**number) +
               (least == 0 ? ": must be greater than or equal to 0" : ": must be greater than 0"),
           std::string(option)});
    }
    return {};
  };
  if (auto lines = at_least("tailLines", 0); !lines) return lines;
  if (auto bytes = at_least("limitBytes", 1); !bytes) return bytes;
  if (query.has("sinceSeconds") && query.has("sinceTime")) {
    causes.push_back({"FieldValueForbidden",
                      "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified", ""});
  } else if (auto seconds = at_least("sinceSeconds", 1); !seconds) {
    return seconds;
  }
  return causes.empty() ? Status() : object_invalid("", "PodLogOptions", name, std::move(causes));
}

Error budget_error(std::string message, int retry) {
  ErrorDetails details;
  details.causes.push_back({"DisruptionBudget", std::move(message), ""});
  details.retry_after_seconds = retry;
  return Error(Code::ResourceExhausted, "Cannot evict pod as it would violate the pod's disruption budget.",
               std::move(details));
}

bool is_ready(const Json& pod) {
  for (const Json& condition : pod["status"]["conditions"].elements()) {
    if (condition["type"].as_string() == "Ready") return condition["status"].as_string() == "True";
  }
  return false;
}

store::Collection budgets() {
  return store::collection_of("policy", "poddisruptionbudgets");
}

std::vector<ObjectPtr> budgets_of(const Server& server, const api::Object& pod) {
  std::vector<ObjectPtr> found;
  for (const ObjectPtr& budget : server.store.list(budgets(), pod.ns()).objects) {
    const auto selector = api::LabelSelector::from_json((*budget->content())["spec"]["selector"]);
    if (selector && selector->matches((*pod.content())["metadata"]["labels"])) found.push_back(budget);
  }
  return found;
}

// Takes one disruption from the budget. Errors: ResourceExhausted.
Task<Status> take_disruption(ServerPtr server, ObjectPtr budget, std::string pod, bool dry_run) {
  Json content = *budget->content();
  if (content["status"]["observedGeneration"].as_int() < budget->generation()) {
    co_return budget_error(
        "The disruption budget " + budget->name() + " is still being processed by the server.", 10);
  }
  const std::int64_t allowed = content["status"]["disruptionsAllowed"].as_int();
  if (allowed <= 0) {
    co_return budget_error("The disruption budget " + budget->name() + " needs " +
                               std::to_string(content["status"]["desiredHealthy"].as_int()) +
                               " healthy pods and has " +
                               std::to_string(content["status"]["currentHealthy"].as_int()) + " currently",
                           0);
  }
  if (dry_run) co_return Status();
  content["status"].set("disruptionsAllowed", allowed - 1);
  content.make({"status", "disruptedPods"}).set(pod, format_time(server->now()));
  auto updating =
      server->store.update(budgets(), std::move(content), budget->revision(), store::Durability::Wait);
  auto updated = co_await std::move(updating);
  if (!updated) co_return budget_error("The disruption budget " + budget->name() + " is being changed.", 1);
  co_return Status();
}

}  // namespace

Task<http::Response> serve_eviction(ServerPtr server, CallPtr call) {
  auto body = read_body(*server, *call);
  if (!body) co_return error_response(*call, body.error());
  if (auto typed = check_type(body->json, "policy", {"v1", "v1beta1"}, "Eviction"); !typed)
    co_return error_response(*call, typed.error());
  if (api::name_of(body->json) != call->info.name) {
    co_return error_response(*call,
                             Error(Code::BadRequest, "name in URL does not match name in Eviction object"));
  }
  const ObjectPtr pod = server->store.get(collection_of(*call->resource), call->info.ns, call->info.name);
  if (!pod) co_return error_response(*call, object_not_found(call->group_resource(), call->info.name));
  DeleteRequest request;
  const Json& options = body->json["deleteOptions"];
  if (options["gracePeriodSeconds"].is_int()) request.grace_seconds = options["gracePeriodSeconds"].as_int();
  request.uid = options["preconditions"]["uid"].as_string();
  request.version = options["preconditions"]["resourceVersion"].as_string();
  request.dry_run = call->query.get("dryRun") == "All" || options["dryRun"].size() > 0;
  const auto content = pod->content();
  const std::string_view phase = (*content)["status"]["phase"].as_string();
  const bool free = phase == "Succeeded" || phase == "Failed" || phase == "Pending" || pod->deleting();
  if (server->webhooks.webhooks()) {
    auto asking = admit_body(server, call, Verb::Create, body->json, request.dry_run);
    if (auto admitted = co_await std::move(asking); !admitted)
      co_return error_response(*call, admitted.error());
  }
  if (!free) {
    const auto found = budgets_of(*server, *pod);
    if (found.size() > 1) {
      co_return error_response(*call, unexpected("This pod has more than one PodDisruptionBudget, which the "
                                                 "eviction subresource does not support."));
    }
    const bool unready_always =
        !found.empty() && !is_ready(*content) &&
        (*found[0]->content())["spec"]["unhealthyPodEvictionPolicy"].as_string() == "AlwaysAllow";
    if (!found.empty() && !unready_always) {
      auto taking = take_disruption(server, found[0], pod->name(), request.dry_run);
      if (auto taken = co_await std::move(taking); !taken) co_return error_response(*call, taken.error());
    }
  }
  auto deleting = commit_delete(server, call, call->info.ns, call->info.name, std::move(request));
  auto removed = co_await std::move(deleting);
  if (!removed) co_return error_response(*call, removed.error());
  co_return json_response(*call, 201, created_status());
}

Task<http::Response> serve_pod_binding(ServerPtr server, CallPtr call) {
  auto body = read_body(*server, *call);
  if (!body) co_return error_response(*call, body.error());
  const Json binding = std::move(body->json);
  const std::string name(call->info.name.empty() || call->resource->resource == "bindings"
                             ? api::name_of(binding)
                             : std::string_view(call->info.name));
  const std::string node(binding["target"]["name"].as_string());
  if (auto valid = check_binding(binding, name); !valid) co_return error_response(*call, valid.error());
  if (server->webhooks.webhooks()) {
    auto asking = admit_body(server, call, Verb::Create, binding, call->query.get("dryRun") == "All");
    if (auto admitted = co_await std::move(asking); !admitted)
      co_return error_response(*call, admitted.error());
  }
  const store::Collection pods = store::collection_of("", "pods");
  for (int attempt = 0; attempt < kConflictTries; ++attempt) {
    const ObjectPtr pod = server->store.get(pods, call->info.ns, name);
    if (!pod) co_return error_response(*call, object_not_found({"", "pods"}, name));
    Json content = *pod->content();
    const std::string_view held = std::as_const(content)["spec"]["nodeName"].as_string();
    if (!held.empty()) {
      co_return error_response(
          *call, object_conflict({"", "pods/binding"}, name,
                                 "pod " + name + " is already assigned to node " + quoted(held)));
    }
    if (pod->deleting()) {
      co_return error_response(
          *call, object_conflict({"", "pods/binding"}, name,
                                 "pod " + name + " is being deleted, cannot be assigned to a host"));
    }
    content["spec"].set("nodeName", node);
    for (const auto& [key, value] : binding["metadata"]["annotations"].members()) {
      content.make({"metadata", "annotations"}).set(key, value);
    }
    Json condition = Json::object({{"type", "PodScheduled"},
                                   {"status", "True"},
                                   {"lastProbeTime", nullptr},
                                   {"lastTransitionTime", format_time(server->now())}});
    Json& conditions = content.make({"status", "conditions"});
    bool placed = false;
    for (Json& existing : conditions.elements()) {
      if (existing["type"].as_string() != "PodScheduled") continue;
      existing = condition;
      placed = true;
    }
    if (!placed) conditions.push_back(std::move(condition));
    if (call->query.get("dryRun") == "All") co_return json_response(*call, 201, created_status());
    auto updating = server->store.update(pods, std::move(content), pod->revision(), store::Durability::Wait);
    auto updated = co_await std::move(updating);
    if (updated) co_return json_response(*call, 201, created_status());
    if (!updated.error().is(Code::Conflict)) co_return error_response(*call, updated.error());
  }
  co_return error_response(*call, object_modified({"", "pods/binding"}, name));
}

http::Response serve_pod_connect(const Server& server, const Call& call) {
  const std::string& sub = call.info.subresource;
  if (sub == "log") {
    if (auto options = check_log_options(call.query, call.info.name); !options)
      return error_response(call, options.error());
  }
  const ObjectPtr pod = server.store.get(store::collection_of("", "pods"), call.info.ns, call.info.name);
  if (!pod) return error_response(call, object_not_found({"", "pods"}, call.info.name));
  const auto content = pod->content();
  if (sub != "portforward") {
    if (auto container = check_container(*content, std::string(call.query.get("container"))); !container)
      return error_response(call, container.error());
  }
  if (sub == "log") {
    if ((*content)["spec"]["nodeName"].as_string().empty()) {
      http::Response empty;
      empty.status = 204;
      return empty;
    }
    return text_response(200, "", "text/plain");
  }
  if ((*content)["spec"]["nodeName"].as_string().empty()) {
    return error_response(call,
                          Error(Code::BadRequest, "pod " + pod->name() + " does not have a host assigned"));
  }
  return error_response(call, method_not_allowed());
}

}  // namespace flotilla::apiserver
