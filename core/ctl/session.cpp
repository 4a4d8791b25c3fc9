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

using StreamAnswer = std::promise<Result<http::ClientResponse>>;

// The body of an answer that is no success is collected instead.
Task<void> read_stream(http::Client* client, http::ClientRequest request, Session::Take take,
                       std::shared_ptr<StreamAnswer> answer) {
  auto opening = client->open(std::move(request));
  auto stream = co_await std::move(opening);
  if (!stream) {
    answer->set_value(std::move(stream).error());
    co_return;
  }
  http::ClientResponse response;
  response.status = (*stream)->status();
  for (;;) {
    auto reading = (*stream)->read(std::chrono::minutes(1));
    auto piece = co_await std::move(reading);
    if (!piece) {
      answer->set_value(std::move(piece).error());
      co_return;
    }
    if (piece->empty()) break;
    if (response.status >= 300) {
      response.body += *piece;
    } else if (Status taken = take(*piece); !taken) {
      answer->set_value(std::move(taken).error());
      co_return;
    }
  }
  answer->set_value(std::move(response));
}

using Ended = std::promise<Status>;

Task<void> carry(Task<Status> work, std::shared_ptr<Ended> ended) {
  ended->set_value(co_await std::move(work));
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

// What the server's Status says.
Error refusal(const http::ClientResponse& response) {
  const Result<Json> parsed = Json::parse(response.body);
  const bool status_object = parsed && (*parsed)["kind"].as_string() == "Status";
  const std::string message = status_object ? std::string((*parsed)["message"].as_string()) : response.body;
  const std::string reason = status_object ? std::string((*parsed)["reason"].as_string()) : std::string();
  return Error(code_of(response.status, reason),
               message.empty() ? "the server answered " + std::to_string(response.status) : message);
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

Status Session::stream(const std::string& method, const std::string& target, Take take) {
  http::ClientRequest request;
  request.method = method;
  request.target = target;
  request.timeout = timeout_;
  request.headers.set("Accept", "*/*");
  request.headers.set("User-Agent", "flotillactl");
  auto answer = std::make_shared<StreamAnswer>();
  auto waiting = answer->get_future();
  state_->scope.spawn(read_stream(&state_->client, std::move(request), std::move(take), std::move(answer)));
  Result<http::ClientResponse> response = waiting.get();
  if (!response && (response.error().is(Code::Unavailable) || response.error().is(Code::Timeout)))
    return std::move(response).context("talk to " + access_.server);
  if (!response) return std::move(response).error();
  if (response->status < 300) return {};
  return refusal(*response);
}

Status Session::perform(Work work) {
  auto ended = std::make_shared<Ended>();
  auto waiting = ended->get_future();
  state_->scope.spawn(carry(work(state_->client, state_->executor), std::move(ended)));
  return waiting.get();
}

Error refusal_of(int status, const std::string& body) {
  http::ClientResponse response;
  response.status = status;
  response.body = body;
  return refusal(response);
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
  if (response->status < 200 || response->status >= 300) return refusal(*response);
  return Json::parse(response->body, {.max_bytes = 256u << 20});
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
