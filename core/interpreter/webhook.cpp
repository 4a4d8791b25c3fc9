// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/webhook.hpp"

#include <algorithm>
#include <map>

#include "core/api/object.hpp"
#include "core/base/base64.hpp"
#include "core/interpreter/dependencies.hpp"

namespace flotilla::interpreter {

namespace {

using api::Json;

constexpr std::string_view kContextVersion = "v1alpha1";
constexpr std::string_view kApiVersion = "config.karmada.io/v1alpha1";
constexpr std::string_view kContextKind = "ResourceInterpreterContext";

bool lists(const Json& names, std::string_view name) {
  return std::ranges::any_of(names.elements(), [name](const Json& one) {
    return one.as_string() == "*" || one.as_string() == name;
  });
}

Error over_the_network() {
  return Error(Code::Unavailable, "an interpreter webhook is asked over the network");
}

Error missing(std::string_view member) {
  return invalid("webhook returned no response." + std::string(member));
}

// The object after the webhook's JSON patch; as it was where there is none.
Result<Json> patched(const Json& object, const Json& response) {
  std::string_view encoded = response["patch"].as_string();
  if (encoded.empty()) return object;
  if (response["patchType"].as_string() != "JSONPatch") {
    return invalid("webhook returned response.patch but not response.patchType JSONPatch");
  }
  const auto text = base64_decode(encoded);
  if (!text) return invalid("webhook returned a response.patch that is no base64");
  Result<Json> patch = Json::parse(*text);
  if (!patch) return std::move(patch).context("response.patch");
  Json result = object;
  if (Status applied = result.apply_json_patch(*patch); !applied) {
    return std::move(applied).context("response.patch");
  }
  return result;
}

Error not_successful(const Json& response) {
  const Json& status = response["status"];
  if (status.is_null()) return missing("status");
  return Error(Code::Internal, "webhook call failed: " + std::string(status["message"].as_string()) +
                                   " (code " + std::to_string(status["code"].as_int()) + ")");
}

Result<Answer> replicas_of(const Json& response) {
  if (!response["replicas"].is_int()) return missing("replicas");
  return Answer{{response["replicas"].as_int(), response["replicaRequirements"]}, false, {}};
}

Result<Answer> dependencies_of(const Json& response) {
  Json list = response["dependencies"].is_array() ? response["dependencies"] : Json::array();
  if (Status valid = validate_dependencies(list); !valid) return std::move(valid).error();
  return Answer{{}, false, std::move(list)};
}

Result<Answer> read_answer(const Question& question, const Json& response) {
  switch (question.operation) {
    case Operation::InterpretReplica:
      return replicas_of(response);
    case Operation::InterpretDependency:
      return dependencies_of(response);
    case Operation::InterpretComponent:
      return Answer{{}, false, response["components"]};
    case Operation::InterpretStatus:
      if (response["rawStatus"].is_null()) return missing("rawStatus");
      return Answer{{}, false, response["rawStatus"]};
    case Operation::InterpretHealth:
      if (!response["healthy"].is_bool()) return missing("healthy");
      return Answer{{}, response["healthy"].as_bool(), {}};
    case Operation::ReviseReplica:
    case Operation::Retain:
    case Operation::AggregateStatus:
      break;
  }
  Result<Json> object = patched(question.object, response);
  if (!object) return std::move(object).error();
  const Json whole = std::move(*object);
  return Answer{{}, false, question.operation == Operation::AggregateStatus ? whole["status"] : whole};
}

}  // namespace

bool InterpreterWebhook::matches(std::string_view api_version, std::string_view kind,
                                 Operation operation) const {
  const api::Gvk gvk = api::Gvk::of(Json::object({{"apiVersion", api_version}, {"kind", kind}}));
  return std::ranges::any_of(rules.elements(), [&](const Json& rule) {
    return lists(rule["operations"], to_string(operation)) && lists(rule["apiGroups"], gvk.group) &&
           lists(rule["apiVersions"], gvk.version) && lists(rule["kinds"], gvk.kind);
  });
}

std::vector<InterpreterWebhook> read_webhooks(const Json& configuration) {
  std::vector<InterpreterWebhook> webhooks;
  std::map<std::string, int, std::less<>> seen;
  for (const Json& webhook : configuration["webhooks"].elements()) {
    std::string name(webhook["name"].as_string());
    int earlier = seen[name]++;
    if (!lists(webhook["interpreterContextVersions"], kContextVersion)) continue;
    InterpreterWebhook read;
    read.uid = std::string(api::name_of(configuration)) + "/" + name;
    if (earlier > 0) read.uid += "/" + std::to_string(earlier);
    read.client_config = webhook["clientConfig"];
    read.rules = webhook["rules"];
    read.timeout_seconds = webhook["timeoutSeconds"].as_int(10);
    webhooks.push_back(std::move(read));
  }
  return webhooks;
}

WebhookInterpreter::WebhookInterpreter(std::vector<InterpreterWebhook> webhooks)
    : webhooks_(std::move(webhooks)) {
  std::ranges::sort(webhooks_, {}, &InterpreterWebhook::uid);
}

const InterpreterWebhook* WebhookInterpreter::find(std::string_view api_version, std::string_view kind,
                                                   Operation operation) const {
  for (const InterpreterWebhook& webhook : webhooks_) {
    if (webhook.matches(api_version, kind, operation)) return &webhook;
  }
  return nullptr;
}

const InterpreterWebhook* WebhookInterpreter::find(const Question& question) const {
  return find(question.object["apiVersion"].as_string(), question.object["kind"].as_string(),
              question.operation);
}

bool WebhookInterpreter::supports(std::string_view api_version, std::string_view kind,
                                  Operation operation) const {
  return find(api_version, kind, operation) != nullptr;
}

bool WebhookInterpreter::may_block(std::string_view, std::string_view, Operation) const {
  return true;
}

Result<Replicas> WebhookInterpreter::interpret_replicas(const Json&) const {
  return over_the_network();
}
Result<Json> WebhookInterpreter::interpret_components(const Json&) const {
  return over_the_network();
}
Result<Json> WebhookInterpreter::revise_replica(const Json&, std::int64_t) const {
  return over_the_network();
}
Result<Json> WebhookInterpreter::retain(const Json&, const Json&) const {
  return over_the_network();
}
Result<Json> WebhookInterpreter::reflect_status(const Json&) const {
  return over_the_network();
}
Result<Json> WebhookInterpreter::aggregate_status(const Json&, std::span<const Json>, WallTime) const {
  return over_the_network();
}
Result<bool> WebhookInterpreter::interpret_health(const Json&) const {
  return over_the_network();
}
Result<Json> WebhookInterpreter::dependencies(const Json&) const {
  return over_the_network();
}

Json webhook_request(const Question& question, std::string_view uid) {
  const api::Gvk gvk = api::Gvk::of(question.object);
  Json request = Json::object(
      {{"uid", uid},
       {"kind", Json::object({{"group", gvk.group}, {"version", gvk.version}, {"kind", gvk.kind}})},
       {"name", api::name_of(question.object)},
       {"operation", to_string(question.operation)},
       {"object", question.object}});
  const std::string_view ns = api::namespace_of(question.object);
  if (!ns.empty()) request.set("namespace", ns);
  if (question.operation == Operation::Retain) request.set("observedObject", question.observed);
  if (question.operation == Operation::ReviseReplica) request.set("replicas", question.replicas);
  if (question.operation == Operation::AggregateStatus) request.set("aggregatedStatus", question.items);
  return Json::object({{"apiVersion", kApiVersion}, {"kind", kContextKind}, {"request", std::move(request)}});
}

Result<Answer> read_webhook_response(const Question& question, std::string_view uid, std::string_view body) {
  const Result<Json> parsed = Json::parse(body);
  if (!parsed) return invalid("webhook response is no JSON: " + parsed.error().message());
  const Json& context = *parsed;
  if (context["apiVersion"].as_string() != kApiVersion || context["kind"].as_string() != kContextKind) {
    return invalid("expected webhook response of " + std::string(kApiVersion) + ", Kind=" +
                   std::string(kContextKind) + ", got " + std::string(context["apiVersion"].as_string()) +
                   ", Kind=" + std::string(context["kind"].as_string()));
  }
  const Json& response = context["response"];
  if (!response.is_object()) return invalid("webhook response was absent");
  if (response["uid"].as_string() != uid) {
    return invalid("expected response.uid \"" + std::string(uid) + "\", got \"" +
                   std::string(response["uid"].as_string()) + "\"");
  }
  if (!response["successful"].as_bool()) return not_successful(response);
  return read_answer(question, response);
}

}  // namespace flotilla::interpreter
