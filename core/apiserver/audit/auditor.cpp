// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/audit/auditor.hpp"

#include "core/api/protobuf/protobuf.hpp"
#include "core/apiserver/admission/attributes.hpp"
#include "core/apiserver/write/write_options.hpp"

namespace flotilla::apiserver {
namespace {

// The peer's address without its port.
std::string host_of(const std::string& address) {
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

Json reference_of(const RequestInfo& info) {
  if (!info.is_resource) return Json();
  Json out = Json::object();
  const auto put = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) out.set(key, value);
  };
  put("resource", info.resource);
  put("namespace", info.ns);
  put("name", info.name);
  put("apiGroup", info.group);
  put("apiVersion", info.version);
  put("subresource", info.subresource);
  return out;
}

// What the client sent, as far as it is an object at all.
Json sent_object(const Call& call, const std::function<Result<Json>(std::string_view)>& parse_yaml) {
  const std::string& body = call.request.body;
  if (body.empty()) return Json();
  const std::string type = media_type_of(call.request.headers.get("Content-Type"));
  Result<Json> parsed =
      type == "application/vnd.kubernetes.protobuf" ? api::decode_protobuf(body) : Json::parse(body);
  if (!parsed && parse_yaml && type.find("yaml") != std::string::npos) parsed = parse_yaml(body);
  return parsed ? *std::move(parsed) : Json();
}

Json answered_object(const http::Response& response) {
  if (response.stream || !response.headers.get("Content-Type").starts_with("application/json")) return Json();
  std::string text;
  for (const http::Chunk& chunk : response.body) text += chunk.bytes;
  auto parsed = Json::parse(text);
  return parsed ? *std::move(parsed) : Json();
}

void drop_managed_fields(Json& object) {
  if (Json* metadata = object.find("metadata")) metadata->erase("managedFields");
  if (Json* items = object.find("items")) {
    for (Json& item : items->elements()) {
      if (Json* metadata = item.find("metadata")) metadata->erase("managedFields");
    }
  }
}

// The code, and for failures what the Status says.
Json status_of(int code, const Json& answer) {
  Json out = Json::object({{"metadata", Json::object()}, {"code", code}});
  if (answer["kind"].as_string() != "Status") return out;
  for (const char* key : {"status", "message", "reason", "details"}) {
    if (answer.contains(key)) out.set(key, answer[key]);
  }
  return out;
}

// Notes the end of an answer that comes in pieces.
class AuditedStream final : public http::BodyStream {
 public:
  AuditedStream(std::unique_ptr<http::BodyStream> stream, std::function<void()> ended)
      : stream_(std::move(stream)), ended_(std::move(ended)) {}
  ~AuditedStream() override { ended_(); }
  Task<std::vector<http::Chunk>> next() override { return stream_->next(); }

 private:
  std::unique_ptr<http::BodyStream> stream_;
  std::function<void()> ended_;
};

}  // namespace

Auditor::Auditor(const Executor& executor, AuditPolicy policy, AuditLogOptions options)
    : executor_(executor),
      policy_(std::move(policy)),
      log_(std::make_shared<AuditLog>(executor, std::move(options))) {}

std::shared_ptr<const AuditRecord> Auditor::begin(const Call& call, const UserInfo& requester, WallTime now) {
  AuditDecision decision = policy_.decide(requester, call.info);
  if (decision.level == AuditLevel::None) return nullptr;
  auto record = std::make_shared<AuditRecord>();
  record->decision = std::move(decision);
  const std::string_view given = call.request.headers.get("Audit-Id");
  record->id = given.empty() ? new_uid() : std::string(given.substr(0, 64));
  record->user = requester;
  if (call.user.name != requester.name || call.user.groups != requester.groups)
    record->impersonated = call.user;
  record->received = now;
  record->uri = call.request.path + (call.request.query.empty() ? "" : "?" + call.request.query);
  record->verb = call.info.verb;
  record->address = host_of(call.request.peer.address);
  record->agent = call.request.headers.get("User-Agent");
  record->object_reference = reference_of(call.info);
  emit(*record, AuditStage::RequestReceived, Json::object());
  return record;
}

void Auditor::emit(const AuditRecord& record, AuditStage stage, Json event) {
  if (record.decision.omitted.contains(stage)) return;
  event.set("kind", "Event");
  event.set("apiVersion", "audit.k8s.io/v1");
  event.set("level", audit_level_text(record.decision.level));
  event.set("auditID", record.id);
  event.set("stage", audit_stage_text(stage));
  event.set("requestURI", record.uri);
  event.set("verb", record.verb);
  event.set("user", user_info(record.user));
  if (record.impersonated) event.set("impersonatedUser", user_info(*record.impersonated));
  event.set("sourceIPs", Json::array({record.address}));
  if (!record.agent.empty()) event.set("userAgent", record.agent);
  if (record.object_reference.is_object()) event.set("objectRef", record.object_reference);
  event.set("requestReceivedTimestamp", format_micro_time(record.received));
  event.set("stageTimestamp", format_micro_time(executor_.clock().now()));
  log_->write(event.dump());
}

void Auditor::complete(const Call& call, const std::shared_ptr<const AuditRecord>& record,
                       http::Response& response,
                       const std::function<Result<Json>(std::string_view)>& parse_yaml) {
  Json event = Json::object();
  const AuditDecision& decision = record->decision;
  const bool wants_answer = decision.level == AuditLevel::RequestResponse || response.status >= 400;
  Json answer = wants_answer ? answered_object(response) : Json();
  if (decision.omit_managed_fields) drop_managed_fields(answer);
  event.set("responseStatus", status_of(response.status, answer));
  if (decision.level >= AuditLevel::Request && call.info.is_resource) {
    Json sent = sent_object(call, parse_yaml);
    if (decision.omit_managed_fields) drop_managed_fields(sent);
    if (!sent.is_null()) event.set("requestObject", std::move(sent));
  }
  if (decision.level == AuditLevel::RequestResponse && !answer.is_null() && call.info.is_resource)
    event.set("responseObject", std::move(answer));
  Json notes = Json::object();
  for (const auto& [key, value] : call.annotations) notes.set(key, value);
  if (!notes.empty()) event.set("annotations", std::move(notes));
  response.headers.set("Audit-Id", record->id);
  if (!response.stream) {
    emit(*record, AuditStage::ResponseComplete, std::move(event));
    return;
  }
  emit(*record, AuditStage::ResponseStarted, event);
  const auto log = log_;
  response.stream = std::make_unique<AuditedStream>(
      std::move(response.stream),
      [this, log, record, event = std::move(event)] { emit(*record, AuditStage::ResponseComplete, event); });
}

}  // namespace flotilla::apiserver
