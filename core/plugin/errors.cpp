// SPDX-License-Identifier: Apache-2.0
// Statuses and errors of plugins in the daemon's words.
#include "core/plugin/host_services.hpp"
#include "core/plugin/host_state.hpp"

namespace flotilla::plugin {
namespace {

std::string text(flt_str_t value) {
  return value.p == nullptr ? std::string() : std::string(value.p, value.n);
}

std::optional<Code> code_of_http(int status, std::string_view reason) {
  switch (status) {
    case 400:
      return Code::BadRequest;
    case 401:
      return Code::Unauthorized;
    case 403:
      return Code::Forbidden;
    case 404:
      return Code::NotFound;
    case 405:
      return Code::Unsupported;
    case 406:
      return Code::NotAcceptable;
    case 409:
      return reason == "AlreadyExists" ? Code::AlreadyExists : Code::Conflict;
    case 410:
      return Code::Gone;
    case 413:
      return Code::TooLarge;
    case 415:
      return Code::UnsupportedMedia;
    case 422:
      return Code::Invalid;
    case 429:
      return Code::ResourceExhausted;
    case 500:
      return Code::Internal;
    case 503:
      return Code::Unavailable;
    case 504:
      return Code::Timeout;
    default:
      return std::nullopt;
  }
}

std::string_view word_of(flt_status_t status) {
  switch (status) {
    case FLT_CANCELLED:
      return "cancelled";
    case FLT_INVALID_ARGUMENT:
      return "invalid argument";
    case FLT_DEADLINE_EXCEEDED:
      return "deadline exceeded";
    case FLT_NOT_FOUND:
      return "not found";
    case FLT_ALREADY_EXISTS:
      return "already exists";
    case FLT_PERMISSION_DENIED:
      return "permission denied";
    case FLT_RESOURCE_EXHAUSTED:
      return "resource exhausted";
    case FLT_FAILED_PRECONDITION:
      return "failed precondition";
    case FLT_ABORTED:
      return "aborted";
    case FLT_OUT_OF_RANGE:
      return "out of range";
    case FLT_UNIMPLEMENTED:
      return "not implemented";
    case FLT_INTERNAL:
      return "internal error";
    case FLT_UNAVAILABLE:
      return "unavailable";
    case FLT_DATA_LOSS:
      return "data loss";
    case FLT_UNAUTHENTICATED:
      return "unauthenticated";
    default:
      return "unknown error";
  }
}

Error make_error(flt_status_t status, const flt_error_t* error, std::string& reason) {
  int http_status = 0;
  std::string message;
  ErrorDetails details;
  if (error != nullptr) {
    http_status = error->http_status;
    reason = text(error->reason);
    message = text(error->message);
    details.reason = reason;
    if (error->retry_after_ms > 0)
      details.retry_after_seconds = static_cast<int>((error->retry_after_ms + 999) / 1000);
  }
  if (message.empty()) message = word_of(status);
  const Code code = code_of(status, http_status, reason);
  if (details.reason.empty() && details.retry_after_seconds == 0) return Error(code, std::move(message));
  return Error(code, std::move(message), std::move(details));
}

}  // namespace

Code code_of(flt_status_t status, int http_status, std::string_view reason) {
  if (const auto code = code_of_http(http_status, reason)) return *code;
  switch (status) {
    case FLT_OK:
      return Code::Ok;
    case FLT_CANCELLED:
      return Code::Cancelled;
    case FLT_INVALID_ARGUMENT:
      return Code::Invalid;
    case FLT_DEADLINE_EXCEEDED:
      return Code::Timeout;
    case FLT_NOT_FOUND:
      return Code::NotFound;
    case FLT_ALREADY_EXISTS:
      return Code::AlreadyExists;
    case FLT_PERMISSION_DENIED:
      return Code::Forbidden;
    case FLT_RESOURCE_EXHAUSTED:
      return Code::ResourceExhausted;
    case FLT_FAILED_PRECONDITION:
    case FLT_ABORTED:
      return Code::Conflict;
    case FLT_OUT_OF_RANGE:
      return Code::Gone;
    case FLT_UNIMPLEMENTED:
      return Code::Unsupported;
    case FLT_UNAVAILABLE:
      return Code::Unavailable;
    case FLT_DATA_LOSS:
      return Code::DataLoss;
    case FLT_UNAUTHENTICATED:
      return Code::Unauthorized;
    default:
      return Code::Internal;
  }
}

ErrorSlot::ErrorSlot() : arena_(make_arena(1u << 20)) {
  error_.struct_size = sizeof error_;
  error_.arena = arena_.get();
}

Error ErrorSlot::take(flt_status_t status) const {
  std::string reason;
  return make_error(status, &error_, reason);
}

Error HostServices::State::error_from(flt_status_t status, const flt_error_t* error, Completion& into) const {
  if (error != nullptr && FLT_HAS(error, details_json.p)) into.details_json = text(error->details_json);
  return make_error(status, error, into.reason);
}

}  // namespace flotilla::plugin
