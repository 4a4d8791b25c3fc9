// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/session.hpp"

#include <future>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

http::ClientOptions options_of(const Access& access) {
  http::ClientOptions options;
  options.base_url = access.server;
  options.ca_pem = access.ca_pem;
  options.client_certificate_pem = access.client_certificate_pem;
  options.client_key_pem = access.client_key_pem;
  options.bearer_token = access.bearer_token;
  options.basic_user = access.basic_user;
  options.basic_password = access.basic_password;
  options.server_name = access.server_name;
  options.proxy_url = access.proxy_url;
  options.insecure_skip_verify = access.insecure_skip_verify;
  return options;
}

using Answer = std::promise<Result<http::ClientResponse>>;

// A fiber that dies without an answer breaks the promise, and get() says so.
Task<void> ask(http::Client* client, http::ClientRequest request, std::shared_ptr<Answer> answer) {
  auto sending = client->send(std::move(request));
  answer->set_value(co_await std::move(sending));
}

Code code_of(int status, std::string_view reason) {
  switch (status) {
    case 400:
      return Code::BadRequest;
    case 401:
      return Code::Unauthorized;
    case 403:
      return Code::Forbidden;
    case 404:
      return Code::NotFound;
    case 409:
      return reason == "AlreadyExists" ? Code::AlreadyExists : Code::Conflict;
    case 410:
      return Code::Gone;
    case 422:
      return Code::Invalid;
    case 429:
      return Code::ResourceExhausted;
    case 503:
      return Code::Unavailable;
    default:
      return Code::Internal;
  }
}

}  // namespace

struct Session::State {
  explicit State(const Access& access)
      : executor(clock, {.io_threads = 1, .blocking_threads = 1}),
        client(executor, options_of(access)),
        scope(executor.strand(), "flotillactl") {}
  ~State() {
    client.close();
    scope.cancel();
    scope.join_blocking();
    executor.stop();
  }

  SystemClock clock;
  Executor executor;
  http::Client client;
  FiberScope scope;
};

Session::Session(Access access, Duration timeout)
    : access_(std::move(access)), timeout_(timeout), state_(std::make_unique<State>(access_)) {}

Session::~Session() = default;

Result<http::ClientResponse> Session::send(http::ClientRequest request) {
  auto answer = std::make_shared<Answer>();
  auto waiting = answer->get_future();
  state_->scope.spawn(ask(&state_->client, std::move(request), std::move(answer)));
  Result<http::ClientResponse> response = waiting.get();
  if (!response && (response.error().is(Code::Unavailable) || response.error().is(Code::Timeout))) {
    return std::move(response).context("cannot reach " + access_.server);
  }
  return response;
}

Result<Json> Session::exchange(std::string method, const std::string& target, std::string body,
                               std::string_view content_type, std::string_view accept) {
  http::ClientRequest request;
  request.method = std::move(method);
  request.target = target;
  request.timeout = timeout_;
  request.headers.set("Accept", std::string(accept));
  request.headers.set("User-Agent", "flotillactl");
  if (!body.empty()) request.headers.set("Content-Type", std::string(content_type));
  request.body = std::move(body);
  Result<http::ClientResponse> response = send(std::move(request));
  if (!response) return std::move(response).error();
  Result<Json> parsed = Json::parse(response->body, {.max_bytes = 256u << 20});
  if (response->status >= 200 && response->status < 300) return parsed;
  const bool status_object = parsed && (*parsed)["kind"].as_string() == "Status";
  const std::string message = status_object ? std::string((*parsed)["message"].as_string()) : response->body;
  const std::string reason = status_object ? std::string((*parsed)["reason"].as_string()) : std::string();
  return Error(code_of(response->status, reason),
               message.empty() ? "the server answered " + std::to_string(response->status) : message);
}

Result<Json> Session::get(const std::string& target, std::string_view accept) {
  return exchange("GET", target, "", "", accept);
}
Result<Json> Session::post(const std::string& target, const Json& body) {
  return exchange("POST", target, body.dump(), "application/json", "application/json");
}
Result<Json> Session::put(const std::string& target, const Json& body) {
  return exchange("PUT", target, body.dump(), "application/json", "application/json");
}
Result<Json> Session::patch(const std::string& target, const Json& body, std::string_view content_type) {
  return exchange("PATCH", target, body.dump(), content_type, "application/json");
}
Result<Json> Session::remove(const std::string& target, const Json& options) {
  return exchange("DELETE", target, options.is_null() ? "" : options.dump(), "application/json",
                  "application/json");
}

}  // namespace flotilla::ctl
