// SPDX-License-Identifier: Apache-2.0
// One error type for the whole daemon. A Code maps one-to-one to a Kubernetes Status reason and HTTP code
// (k8s-api: Status objects), so an error raised deep in a pure function reaches kubectl unchanged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla {

enum class Code : std::uint8_t {
  Ok,
  NotFound,           // 404 NotFound
  AlreadyExists,      // 409 AlreadyExists
  Conflict,           // 409 Conflict
  Invalid,            // 422 Invalid
  BadRequest,         // 400 BadRequest
  Forbidden,          // 403 Forbidden
  Unauthorized,       // 401 Unauthorized
  Gone,               // 410 Expired
  Timeout,            // 504 Timeout
  Unavailable,        // 503 ServiceUnavailable
  Unsupported,        // 405 MethodNotAllowed
  NotAcceptable,      // 406 NotAcceptable
  UnsupportedMedia,   // 415 UnsupportedMediaType
  TooLarge,           // 413 RequestEntityTooLarge
  ResourceExhausted,  // 429 TooManyRequests
  Cancelled,          // never logged above debug, never counted
  DataLoss,           // 500 InternalError
  Internal,           // 500 InternalError
};

std::string_view to_string(Code code);

// One entry of Status.details.causes.
struct Cause {
  std::string reason;   // FieldValueInvalid, FieldValueRequired, ...
  std::string message;  // as Kubernetes prints it, without the field path
  std::string field;    // spec.template.spec.containers[0].name
};

// What Status.details says beside the code. Absent members are empty.
struct ErrorDetails {
  std::string reason;  // overrides the Status reason that Code implies
  std::string name;
  std::string group;
  std::string kind;
  std::string uid;
  std::vector<Cause> causes;
  int retry_after_seconds = 0;
  int http_code = 0;  // overrides the one that Code implies: webhooks choose their own
};

class [[nodiscard]] Error {  // NOLINT(clang-analyzer-core.uninitialized.Assign)
 public:
  Error() = default;
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  Error(Code code, std::string message, ErrorDetails details)
      : code_(code),
        message_(std::move(message)),
        details_(std::make_shared<const ErrorDetails>(std::move(details))) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  // Null when there is nothing to add to code and message.
  const ErrorDetails* details() const { return details_.get(); }
  bool is(Code code) const { return code_ == code; }

  // Prefixes the message with what was being done: "assign replicas: <message>".
  Error context(std::string_view doing) &&;

 private:
  Code code_ = Code::Ok;
  std::string message_;
  std::shared_ptr<const ErrorDetails> details_;
};

Error not_found(std::string message);
Error invalid(std::string message);
Error bad_request(std::string message);
Error internal(std::string message);

}  // namespace flotilla
