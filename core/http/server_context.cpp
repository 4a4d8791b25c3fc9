// SPDX-License-Identifier: Apache-2.0
#include "core/http/server_context.hpp"

#include <boost/asio/this_coro.hpp>

#include "core/base/log.hpp"

namespace flotilla::http {

namespace {

const Logger kLog("http");

// "http://host/path" and "/path" alike.
std::string_view without_authority(std::string_view target) {
  if (target.starts_with('/')) return target;
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return target;
  const std::size_t path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

}  // namespace

Task<Response> ServerContext::call(Request request, bool& cancelled) {
  try {
    auto handling = handler(std::move(request));
    // The handler's awaits throw when it is cancelled, as in any other fiber.
    co_await asio::this_coro::throw_if_cancelled(true);
    Response response = co_await std::move(handling);
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return response;
  } catch (const boost::system::system_error& failure) {
    if (failure.code() == asio::error::operation_aborted) {
      cancelled = true;
    } else {
      kLog.error("handler threw", {{"error", failure.what()}});
    }
  } catch (const std::exception& failure) {
    kLog.error("handler threw", {{"error", failure.what()}});
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  co_return refusal(500, "internal error");
}

Response ServerContext::refusal(int status, std::string_view message) const {
  if (options.error_response) return options.error_response(status, message);
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body.push_back(Chunk::of(std::to_string(status) + " " + std::string(message) + "\n"));
  return response;
}

void set_target(Request& request, std::string_view whole) {
  const std::string_view target = without_authority(whole);
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
}

bool has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace flotilla::http
