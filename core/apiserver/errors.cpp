// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/errors.hpp"

#include <algorithm>

#include "core/api/validation/field_error.hpp"

namespace flotilla::apiserver {
namespace {

using api::Json;

struct CodeEntry {
  Code code;
  int http;
  std::string_view reason;
};

constexpr CodeEntry kCodes[] = {
    {Code::Ok, 200, ""},
    {Code::NotFound, 404, "NotFound"},
    {Code::AlreadyExists, 409, "AlreadyExists"},
    {Code::Conflict, 409, "Conflict"},
    {Code::Invalid, 422, "Invalid"},
    {Code::BadRequest, 400, "BadRequest"},
    {Code::Forbidden, 403, "Forbidden"},
    {Code::Unauthorized, 401, "Unauthorized"},
    {Code::Gone, 410, "Expired"},
    {Code::Timeout, 504, "Timeout"},
    {Code::Unavailable, 503, "ServiceUnavailable"},
    {Code::Unsupported, 405, "MethodNotAllowed"},
    {Code::NotAcceptable, 406, "NotAcceptable"},
    {Code::UnsupportedMedia, 415, "UnsupportedMediaType"},
    {Code::TooLarge, 413, "RequestEntityTooLarge"},
    {Code::ResourceExhausted, 429, "TooManyRequests"},
    {Code::Cancelled, 503, "ServiceUnavailable"},
    {Code::DataLoss, 500, "InternalError"},
    {Code::Internal, 500, "InternalError"},
};

const CodeEntry& entry_of(Code code) {
  for (const CodeEntry& entry : kCodes) {
    if (entry.code == code) return entry;
  }
  return kCodes[std::size(kCodes) - 1];
}

Json causes_of(const std::vector<Cause>& causes) {
  Json list = Json::array();
  for (const Cause& cause : causes) {
    Json entry = Json::object();
    if (!cause.reason.empty()) entry.set("reason", cause.reason);
    if (!cause.message.empty()) entry.set("message", cause.message);
    if (!cause.field.empty()) entry.set("field", cause.field);
    list.push_back(std::move(entry));
  }
  return list;
}

Json details_of(const ErrorDetails& details) {
  Json out = Json::object();
  if (!details.name.empty()) out.set("name", details.name);
  if (!details.group.empty()) out.set("group", details.group);
  if (!details.kind.empty()) out.set("kind", details.kind);
  if (!details.uid.empty()) out.set("uid", details.uid);
  if (!details.causes.empty()) out.set("causes", causes_of(details.causes));
  if (details.retry_after_seconds > 0) out.set("retryAfterSeconds", details.retry_after_seconds);
  return out;
}

ErrorDetails details_for(const GroupResource& resource, std::string_view name) {
  ErrorDetails details;
  details.name = name;
  details.group = resource.group;
  details.kind = resource.resource;
  return details;
}

// One error is "path: body"; several are "[e1, e2]" without exact repeats.
std::string joined_causes(const std::vector<Cause>& causes) {
  std::vector<std::string> texts;
  for (const Cause& cause : causes) {
    std::string text = cause.field.empty() ? cause.message : cause.field + ": " + cause.message;
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  if (texts.empty()) return "";
  if (texts.size() == 1) return texts.front();
  std::string out = "[";
  for (std::size_t i = 0; i < texts.size(); ++i) out += (i == 0 ? "" : ", ") + texts[i];
  return out + "]";
}

}  // namespace

std::string quoted(std::string_view text) {
  return api::go_quote(text);
}

int http_code(const Error& error) {
  const ErrorDetails* details = error.details();
  return details != nullptr && details->http_code != 0 ? details->http_code : entry_of(error.code()).http;
}

Json status_object(const Error& error, std::string_view continue_token) {
  const CodeEntry& entry = entry_of(error.code());
  const ErrorDetails* details = error.details();
  Json metadata = Json::object();
  if (!continue_token.empty()) metadata.set("continue", continue_token);
  Json status = Json::object({{"kind", "Status"},
                              {"apiVersion", "v1"},
                              {"metadata", std::move(metadata)},
                              {"status", "Failure"},
                              {"code", http_code(error)}});
  if (!error.message().empty()) status.set("message", error.message());
  const std::string_view reason =
      details != nullptr && !details->reason.empty() ? std::string_view(details->reason) : entry.reason;
  if (reason != kNoReason) status.set("reason", reason);
  if (details != nullptr) {
    Json shown = details_of(*details);
    if (!shown.empty() || details->reason.empty()) status.set("details", std::move(shown));
  }
  return status;
}

Error object_not_found(const GroupResource& resource, std::string_view name) {
  return Error(Code::NotFound, resource.text() + " " + quoted(name) + " not found",
               details_for(resource, name));
}

Error object_exists(const GroupResource& resource, std::string_view name, bool being_deleted) {
  return Error(Code::AlreadyExists,
               std::string(being_deleted ? "object is being deleted: " : "") + resource.text() + " " +
                   quoted(name) + " already exists",
               details_for(resource, name));
}

Error object_conflict(const GroupResource& resource, std::string_view name, std::string_view message) {
  return Error(Code::Conflict,
               "Operation cannot be fulfilled on " + resource.text() + " " + quoted(name) + ": " +
                   std::string(message),
               details_for(resource, name));
}

Error object_modified(const GroupResource& resource, std::string_view name) {
  return object_conflict(
      resource, name,
      "the object has been modified; please apply your changes to the latest version and try again");
}

Error object_forbidden(const GroupResource& resource, std::string_view name, std::string_view message) {
  std::string text = resource.text();
  if (!name.empty()) text += " " + quoted(name);
  return Error(Code::Forbidden, text + " is forbidden: " + std::string(message), details_for(resource, name));
}

Error object_invalid(std::string_view group, std::string_view kind, std::string_view name,
                     std::vector<Cause> causes) {
  std::string text(kind);
  if (!group.empty()) text += "." + std::string(group);
  text += " " + quoted(name) + " is invalid: " + joined_causes(causes);
  ErrorDetails details;
  details.name = name;
  details.group = group;
  details.kind = kind;
  details.causes = std::move(causes);
  return Error(Code::Invalid, std::move(text), std::move(details));
}

Error options_invalid(std::string_view kind, std::vector<Cause> causes) {
  return object_invalid("meta.k8s.io", kind, "", std::move(causes));
}

Error path_not_found() {
  return Error(Code::NotFound, "the server could not find the requested resource", ErrorDetails{});
}

Error method_not_allowed() {
  return Error(Code::Unsupported, "the server does not allow this method on the requested resource",
               ErrorDetails{});
}

Error unexpected(std::string message) {
  ErrorDetails details;
  details.reason = kNoReason;
  return Error(Code::Internal, std::move(message), std::move(details));
}

Error unauthorized() {
  return Error(Code::Unauthorized, "Unauthorized");
}

Error version_too_large(std::uint64_t requested, std::uint64_t current) {
  ErrorDetails details;
  details.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  details.retry_after_seconds = 1;
  return Error(Code::Timeout,
               "Timeout: Too large resource version: " + std::to_string(requested) +
                   ", current: " + std::to_string(current),
               std::move(details));
}

Error not_acceptable_kind(std::string message) {
  return Error(Code::NotAcceptable, std::move(message));
}

Error unsupported_media(std::string_view accepted) {
  return Error(Code::UnsupportedMedia,
               "the body of the request was in an unknown format - accepted media types include: " +
                   std::string(accepted));
}

}  // namespace flotilla::apiserver
