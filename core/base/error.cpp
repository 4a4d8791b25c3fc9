// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.hpp"

namespace flotilla {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::Ok:
      return "Ok";
    case Code::NotFound:
      return "NotFound";
    case Code::AlreadyExists:
      return "AlreadyExists";
    case Code::Conflict:
      return "Conflict";
    case Code::Invalid:
      return "Invalid";
    case Code::BadRequest:
      return "BadRequest";
    case Code::Forbidden:
      return "Forbidden";
    case Code::Unauthorized:
      return "Unauthorized";
    case Code::Gone:
      return "Expired";
    case Code::Timeout:
      return "Timeout";
    case Code::Unavailable:
      return "ServiceUnavailable";
    case Code::Unsupported:
      return "MethodNotAllowed";
    case Code::NotAcceptable:
      return "NotAcceptable";
    case Code::UnsupportedMedia:
      return "UnsupportedMediaType";
    case Code::TooLarge:
      return "RequestEntityTooLarge";
    case Code::ResourceExhausted:
      return "TooManyRequests";
    case Code::Cancelled:
      return "Cancelled";
    case Code::DataLoss:
      return "DataLoss";
    case Code::Internal:
      return "InternalError";
  }
  return "InternalError";
}

Error Error::context(std::string_view doing) && {
  message_.insert(0, std::string(doing) + ": ");
  return std::move(*this);
}

Error not_found(std::string message) {
  return {Code::NotFound, std::move(message)};
}
Error invalid(std::string message) {
  return {Code::Invalid, std::move(message)};
}
Error bad_request(std::string message) {
  return {Code::BadRequest, std::move(message)};
}
Error internal(std::string message) {
  return {Code::Internal, std::move(message)};
}

}  // namespace flotilla
