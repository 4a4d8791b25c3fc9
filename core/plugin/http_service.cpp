// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/http_service.hpp"

#include <flotilla/abi/ext/http.h>

#include <boost/asio/this_coro.hpp>
#include <mutex>
#include <utility>
#include <vector>

#include "core/async/event.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/http/http.hpp"

namespace flp = flotilla::plugin;

namespace flotilla::plugin {

struct HttpService::State {
  explicit State(const Executor& the_executor)
      : executor(the_executor), scope(the_executor.strand(), "plugin http") {}
  const Executor& executor;
  FiberScope scope;
};

namespace {

// One request. The plugin's handle and the fiber share it.
struct Exchange {
  std::mutex mutex;  // all below
  std::function<void()> cancel;
  bool paused = false;
  Event changed;

  bool is_paused() {
    std::lock_guard lock(mutex);
    return paused;
  }
};

}  // namespace
}  // namespace flotilla::plugin

struct flt_http_client {
  std::shared_ptr<flp::HttpService::State> service;
  std::shared_ptr<flotilla::http::Client> client;
};

struct flt_http_exchange {
  std::shared_ptr<flp::Exchange> exchange;
};

namespace flotilla::plugin {
namespace {

constexpr Duration kDefaultTimeout = std::chrono::seconds(30);
constexpr Duration kForever = std::chrono::hours(24 * 365);

std::string text(flt_str_t value) {
  return value.p == nullptr ? std::string() : std::string(value.p, value.n);
}
flt_str_t borrowed(std::string_view value) {
  return {value.empty() ? nullptr : value.data(), value.size()};
}

flt_status_t status_of(const Error& error) {
  switch (error.code()) {
    case Code::Unavailable:
      return FLT_UNAVAILABLE;
    case Code::Timeout:
      return FLT_DEADLINE_EXCEEDED;
    case Code::Unauthorized:
      return FLT_UNAUTHENTICATED;
    case Code::Invalid:
      return FLT_INVALID_ARGUMENT;
    case Code::TooLarge:
      return FLT_RESOURCE_EXHAUSTED;
    case Code::Cancelled:
      return FLT_CANCELLED;
    default:
      return FLT_INTERNAL;
  }
}

// The plugin's functions. done comes exactly once: at the latest, and then from a posted function, when the
// last owner is gone because the fiber was cancelled or never ran.
class Listener {
 public:
  Listener(const Executor& executor, const flt_http_handler_t& handler, void* ctx)
      : executor_(executor), handler_(handler), ctx_(ctx) {}
  ~Listener() {
    if (done_) return;
    executor_.post([handler = handler_, ctx = ctx_] {
      flt_error_t error{};
      error.struct_size = sizeof error;
      error.code = FLT_CANCELLED;
      error.message = borrowed("cancelled");
      handler.done(ctx, FLT_CANCELLED, &error);
    });
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void head(int status, const http::Headers& headers) const {
    if (handler_.head == nullptr) return;
    std::vector<flt_http_field_t> fields;
    fields.reserve(headers.fields().size());
    for (const auto& [name, value] : headers.fields()) fields.push_back({borrowed(name), borrowed(value)});
    const flt_http_response_head_t head{sizeof head, status, fields.data(), fields.size()};
    handler_.head(ctx_, &head);
  }
  void body(std::string_view bytes) const {
    if (handler_.body == nullptr || bytes.empty()) return;
    handler_.body(ctx_, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  }
  void succeed() {
    done_ = true;
    handler_.done(ctx_, FLT_OK, nullptr);
  }
  void fail(const Error& failure) {
    done_ = true;
    flt_error_t error{};
    error.struct_size = sizeof error;
    error.code = status_of(failure);
    error.message = borrowed(failure.message());
    handler_.done(ctx_, error.code, &error);
  }

 private:
  const Executor& executor_;
  const flt_http_handler_t handler_;
  void* const ctx_;
  bool done_ = false;
};
using ListenerPtr = std::unique_ptr<Listener>;

Task<void> send_whole(std::shared_ptr<http::Client> client, http::ClientRequest request,
                      ListenerPtr listener) {
  auto sending = client->send(std::move(request));
  auto response = co_await std::move(sending);
  if (!response) {
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    if (cancellation.cancelled() == boost::asio::cancellation_type::none) listener->fail(response.error());
    co_return;
  }
  listener->head(response->status, response->headers);
  listener->body(response->body);
  listener->succeed();
}

Task<void> send_streamed(std::shared_ptr<http::Client> client, http::ClientRequest request, Duration idle,
                         std::shared_ptr<Exchange> exchange, ListenerPtr listener) {
  auto opening = client->open(std::move(request));
  auto stream = co_await std::move(opening);
  if (!stream) {
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    if (cancellation.cancelled() == boost::asio::cancellation_type::none) listener->fail(stream.error());
    co_return;
  }
  listener->head((*stream)->status(), (*stream)->headers());
  for (;;) {
    const std::uint64_t seen = exchange->changed.version();
    if (exchange->is_paused()) {
      auto waiting = exchange->changed.wait_past(seen);
      co_await std::move(waiting);
      continue;
    }
    auto reading = (*stream)->read(idle);
    auto bytes = co_await std::move(reading);
    if (!bytes) {
      const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
      if (cancellation.cancelled() == boost::asio::cancellation_type::none) listener->fail(bytes.error());
      co_return;
    }
    if (bytes->empty()) co_return listener->succeed();
    listener->body(*bytes);
  }
}

struct SecretSink {
  std::string value;
  static void take(void* ctx, flt_bytes_t bytes) noexcept {
    static_cast<SecretSink*>(ctx)->value.assign(reinterpret_cast<const char*>(bytes.p), bytes.n);
  }
};

Result<std::string> read_secret(const flt_host_t* host, std::uint64_t handle, std::string_view what) {
  SecretSink sink;
  if (handle == 0) return sink.value;
  if (host->secret->read(host, handle, SecretSink::take, &sink) != FLT_OK) {
    return Error(Code::Invalid, std::string(what) + ": no such secret was granted");
  }
  return sink.value;
}

flt_status_t refuse(const flt_host_t* host, flt_error_t* error, const Error& failure) {
  if (error == nullptr) return FLT_INVALID_ARGUMENT;
  error->code = FLT_INVALID_ARGUMENT;
  if (error->arena == nullptr) return FLT_INVALID_ARGUMENT;
  const std::string& message = failure.message();
  void* memory = host->mem->alloc(error->arena, message.size(), 1);
  if (memory == nullptr) return FLT_INVALID_ARGUMENT;
  std::copy(message.begin(), message.end(), static_cast<char*>(memory));
  error->message = {static_cast<const char*>(memory), message.size()};
  return FLT_INVALID_ARGUMENT;
}

flt_status_t open_client(const flt_host_t* host, const flt_http_client_options_t* options,
                         flt_http_client_t** client, flt_error_t* error) noexcept {
  auto& environment = HostServices::of(host).environment();
  auto* service = static_cast<std::shared_ptr<HttpService::State>*>(environment.state(FLT_HOST_HTTP));
  auto key = read_secret(host, options->client_key, "client key");
  if (!key) return refuse(host, error, key.error());
  auto token = read_secret(host, options->bearer_token, "bearer token");
  if (!token) return refuse(host, error, token.error());
  http::ClientOptions out;
  out.base_url = text(options->base_url);
  out.ca_pem = text(options->ca_pem);
  out.client_certificate_pem = text(options->client_certificate_pem);
  out.client_key_pem = *std::move(key);
  out.bearer_token = *std::move(token);
  out.server_name = text(options->server_name);
  out.proxy_url = text(options->proxy_url);
  out.insecure_skip_verify = (options->flags & FLT_HTTP_INSECURE) != 0;
  if (options->max_connections > 0) out.max_connections = options->max_connections;
  const Executor& executor = (*service)->executor;
  *client = new flt_http_client{*service, std::make_shared<http::Client>(executor, std::move(out))};
  return FLT_OK;
}

void close_client(flt_http_client_t* client) noexcept {
  delete client;
}

flt_http_exchange_t* send(flt_http_client_t* client, const flt_http_request_t* request,
                          const flt_http_handler_t* handler, void* ctx) noexcept {
  http::ClientRequest out;
  out.method = text(request->method);
  out.target = text(request->target);
  for (std::uint64_t i = 0; i < request->n_headers; ++i) {
    out.headers.add(text(request->headers[i].name), text(request->headers[i].value));
  }
  out.body.assign(reinterpret_cast<const char*>(request->body.p), request->body.n);
  out.timeout = request->timeout_ns > 0 ? Duration(request->timeout_ns) : kDefaultTimeout;
  HttpService::State& service = *client->service;
  auto listener = std::make_unique<Listener>(service.executor, *handler, ctx);
  auto exchange = std::make_shared<Exchange>();
  const bool streamed = (request->flags & FLT_HTTP_STREAM) != 0;
  const Duration idle = request->idle_timeout_ns > 0 ? Duration(request->idle_timeout_ns) : kForever;
  Task<void> fiber = streamed
                         ? send_streamed(client->client, std::move(out), idle, exchange, std::move(listener))
                         : send_whole(client->client, std::move(out), std::move(listener));
  auto cancel = service.scope.spawn_cancellable(service.executor.strand(), std::move(fiber));
  std::lock_guard lock(exchange->mutex);
  exchange->cancel = std::move(cancel);
  return new flt_http_exchange{exchange};
}

void cancel(flt_http_exchange_t* handle) noexcept {
  std::function<void()> end;
  {
    std::lock_guard lock(handle->exchange->mutex);
    end = std::exchange(handle->exchange->cancel, {});
  }
  if (end) end();
}

void set_paused(flt_http_exchange_t* handle, bool paused) {
  {
    std::lock_guard lock(handle->exchange->mutex);
    handle->exchange->paused = paused;
  }
  handle->exchange->changed.notify();
}
void pause(flt_http_exchange_t* handle) noexcept {
  set_paused(handle, true);
}
void resume(flt_http_exchange_t* handle) noexcept {
  set_paused(handle, false);
}
void release(flt_http_exchange_t* handle) noexcept {
  delete handle;
}

constexpr flt_host_http_t kTable{
    sizeof(flt_host_http_t), 0, open_client, close_client, send, cancel, pause, resume, release};

}  // namespace

HttpService::HttpService(HostEnvironment& environment)
    : state_(std::make_shared<State>(environment.executor())) {
  environment.offer(FLT_HOST_HTTP, &kTable, std::make_shared<std::shared_ptr<State>>(state_));
}

HttpService::~HttpService() {
  stop();
}

void HttpService::stop() {
  state_->scope.cancel();
  state_->scope.join_blocking();
}

std::size_t HttpService::running() const {
  return state_->scope.running();
}

}  // namespace flotilla::plugin
