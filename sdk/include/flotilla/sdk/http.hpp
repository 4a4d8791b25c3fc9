// SPDX-License-Identifier: Apache-2.0
// HTTPS over the host's client ("flotilla.host.http/1"), for drivers and others that talk to servers.
//
//   HttpClient client(host, options);                    // throws Failure
//   client.send(request, [](HttpResponse response) { ... });   // on a host thread
//
// Thread: any. A client may be destroyed while requests are under way; their callbacks still come.
#pragma once

#include <flotilla/abi/ext/http.h>
#include <flotilla/sdk/plugin.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flotilla::sdk {
inline namespace sdk_1 {

struct HttpRequest {
  std::string_view method = "GET";
  std::string target;  // path with query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;  // borrowed until send() or open() returns
  std::int64_t timeout_ns = 0;
  std::int64_t idle_timeout_ns = 0;
};

// How a request ended. `transport` is FLT_OK when an answer came, whatever its HTTP status.
struct HttpResponse {
  flt_status_t transport = FLT_OK;
  std::string message;  // why there is no answer
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key.size() != name.size()) continue;
      bool same = true;
      for (std::size_t i = 0; i < key.size() && same; ++i) same = (key[i] | 0x20) == (name[i] | 0x20);
      if (same) return value;
    }
    return {};
  }
};

// What comes of a streamed request, one call at a time, on host threads. Lives until done() returned.
class HttpStreamHandler {
 public:
  virtual ~HttpStreamHandler() = default;
  virtual void head(const HttpResponse& response) = 0;  // without body
  virtual void body(std::string_view bytes) = 0;
  virtual void done(flt_status_t transport, std::string_view message) = 0;
};

// A request under way. Destroying it does not end the request.
class HttpExchange {
 public:
  HttpExchange() = default;
  HttpExchange(const flt_host_http_t* http, flt_http_exchange_t* exchange)
      : http_(http), exchange_(exchange) {}
  HttpExchange(HttpExchange&& other) noexcept
      : http_(other.http_), exchange_(std::exchange(other.exchange_, nullptr)) {}
  HttpExchange& operator=(HttpExchange&& other) noexcept {
    std::swap(http_, other.http_);
    std::swap(exchange_, other.exchange_);
    return *this;
  }
  ~HttpExchange() {
    if (exchange_ != nullptr) http_->release(exchange_);
  }
  void cancel() const {
    if (exchange_ != nullptr) http_->cancel(exchange_);
  }
  void pause() const {
    if (exchange_ != nullptr) http_->pause(exchange_);
  }
  void resume() const {
    if (exchange_ != nullptr) http_->resume(exchange_);
  }

 private:
  const flt_host_http_t* http_ = nullptr;
  flt_http_exchange_t* exchange_ = nullptr;
};

class HttpClient {
 public:
  HttpClient(const flt_host_t* host, const flt_http_client_options_t& options)
      : http_(static_cast<const flt_host_http_t*>(host->query(host, str(FLT_HOST_HTTP)))) {
    if (http_ == nullptr) throw Failure(FLT_UNIMPLEMENTED, "this host offers no " FLT_HOST_HTTP);
    flt_error_t error{};
    error.struct_size = sizeof error;
    const flt_status_t status = http_->open(host, &options, &client_, &error);
    if (status != FLT_OK) throw Failure(status, "the host refused to open an HTTP client");
  }
  ~HttpClient() { http_->close(client_); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `done` exactly once.
  HttpExchange send(const HttpRequest& request, std::function<void(HttpResponse)> done) const {
    auto* gathering = new Gathering{{}, std::move(done)};
    static constexpr flt_http_handler_t kHandler = {sizeof(flt_http_handler_t), 0, Gathering::on_head,
                                                    Gathering::on_body, Gathering::on_done};
    return start(request, 0, kHandler, gathering);
  }
  // The body as it comes.
  HttpExchange open(const HttpRequest& request, std::unique_ptr<HttpStreamHandler> handler) const {
    static constexpr flt_http_handler_t kHandler = {sizeof(flt_http_handler_t), 0, stream_head, stream_body,
                                                    stream_done};
    return start(request, FLT_HTTP_STREAM, kHandler, handler.release());
  }

 private:
  struct Gathering {
    HttpResponse response;
    std::function<void(HttpResponse)> done;

    static void on_head(void* ctx, const flt_http_response_head_t* head) noexcept {
      read_head(static_cast<Gathering*>(ctx)->response, *head);
    }
    static void on_body(void* ctx, flt_bytes_t bytes) noexcept {
      static_cast<Gathering*>(ctx)->response.body.append(view(bytes));
    }
    static void on_done(void* ctx, flt_status_t status, const flt_error_t* error) noexcept {
      const std::unique_ptr<Gathering> own(static_cast<Gathering*>(ctx));
      own->response.transport = status;
      if (error != nullptr) own->response.message = view(error->message);
      own->done(std::move(own->response));
    }
  };

  static void read_head(HttpResponse& response, const flt_http_response_head_t& head) {
    response.status = head.status;
    for (std::uint64_t i = 0; i < head.n_headers; ++i) {
      response.headers.emplace_back(view(head.headers[i].name), view(head.headers[i].value));
    }
  }
  static void stream_head(void* ctx, const flt_http_response_head_t* head) noexcept {
    HttpResponse response;
    read_head(response, *head);
    static_cast<HttpStreamHandler*>(ctx)->head(response);
  }
  static void stream_body(void* ctx, flt_bytes_t bytes) noexcept {
    static_cast<HttpStreamHandler*>(ctx)->body(view(bytes));
  }
  static void stream_done(void* ctx, flt_status_t status, const flt_error_t* error) noexcept {
    const std::unique_ptr<HttpStreamHandler> own(static_cast<HttpStreamHandler*>(ctx));
    own->done(status, error == nullptr ? std::string_view() : view(error->message));
  }

  HttpExchange start(const HttpRequest& request, std::uint32_t flags, const flt_http_handler_t& handler,
                     void* ctx) const {
    std::vector<flt_http_field_t> fields;
    fields.reserve(request.headers.size());
    for (const auto& [name, value] : request.headers) fields.push_back({str(name), str(value)});
    flt_http_request_t raw{};
    raw.struct_size = sizeof raw;
    raw.flags = flags;
    raw.method = str(request.method);
    raw.target = str(request.target);
    raw.headers = fields.data();
    raw.n_headers = fields.size();
    raw.body = bytes(request.body);
    raw.timeout_ns = request.timeout_ns;
    raw.idle_timeout_ns = request.idle_timeout_ns;
    return {http_, http_->send(client_, &raw, &handler, ctx)};
  }

  const flt_host_http_t* http_;
  flt_http_client_t* client_ = nullptr;
};

}  // namespace sdk_1
}  // namespace flotilla::sdk
