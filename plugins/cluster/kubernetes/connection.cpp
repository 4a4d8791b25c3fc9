// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "paths.hpp"

namespace flotilla::kubernetes {

namespace {

using sdk::Call;
using sdk::HttpRequest;
using sdk::HttpResponse;
using sdk::view;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kListTimeout = 90 * kSecond;
constexpr std::int64_t kProbeTimeout = 5 * kSecond;
// Longer than the watch may last; that the network is dead is noticed below HTTP.
constexpr std::int64_t kWatchSilence = 330 * kSecond;
constexpr const char kWatchSeconds[] = "300";
constexpr const char kPage[] = "500";

bool is_success(const HttpResponse& response) {
  return response.transport == FLT_OK && response.status >= 200 && response.status < 300;
}

flt_http_client_options_t client_options(const flt_cluster_ref_t& ref) {
  if (ref.endpoint.n == 0) throw sdk::Failure(FLT_INVALID_ARGUMENT, "the cluster has no API endpoint");
  flt_http_client_options_t options{};
  options.struct_size = sizeof options;
  if ((ref.flags & FLT_CLUSTER_INSECURE) != 0) options.flags = FLT_HTTP_INSECURE;
  options.base_url = ref.endpoint;
  options.ca_pem = ref.ca_pem;
  options.client_certificate_pem = ref.client_certificate_pem;
  options.client_key = ref.client_key;
  options.bearer_token = ref.bearer_token;
  options.proxy_url = ref.proxy_url;
  return options;
}

// Completes a call with what went wrong: no answer, or an answer that is no success.
void refuse(const flt_host_t* host, Call& call, const HttpResponse& response) {
  if (response.transport != FLT_OK) {
    call.fail(response.transport, response.message);
  } else {
    fail(host, call, read_refusal(response));
  }
}

std::string delete_options(const flt_remove_request_t& request) {
  std::string body = R"({"kind":"DeleteOptions","apiVersion":"v1")";
  if (request.propagation.n > 0) {
    body += ",\"propagationPolicy\":";
    sdk::append_json_string(body, view(request.propagation));
  }
  if (request.uid.n > 0 || request.resource_version.n > 0) {
    body += ",\"preconditions\":{";
    if (request.uid.n > 0) {
      body += "\"uid\":";
      sdk::append_json_string(body, view(request.uid));
    }
    if (request.resource_version.n > 0) {
      body += request.uid.n > 0 ? ",\"resourceVersion\":" : "\"resourceVersion\":";
      sdk::append_json_string(body, view(request.resource_version));
    }
    body += "}";
  }
  return body + "}";
}

// /readyz and /version, one after the other.
struct Probe {
  std::shared_ptr<Connection> connection;
  std::shared_ptr<Call> call;
  std::int64_t started = 0;
  flt_probe_result_t result{};
  std::string message;

  std::int64_t now() const { return connection->host()->clock->monotonic_ns(connection->host()); }

  void complete(std::string_view version) {
    const sdk::Arena arena = call->arena();
    auto& out = arena.make<flt_probe_result_t>();
    out = result;
    out.struct_size = sizeof out;
    out.version = arena.copy(version);
    out.message = arena.copy(message);
    call->succeed(&out);
  }

  static HttpRequest request(std::string target) {
    HttpRequest request;
    request.target = std::move(target);
    request.timeout_ns = kProbeTimeout;
    return request;
  }

  static void ask_health(const std::shared_ptr<Probe>& self, const std::string& path) {
    self->connection->send(request(path), [self, path](HttpResponse response) {
      self->result.latency_ns = self->now() - self->started;
      if (response.transport == FLT_CANCELLED) return self->call->fail(FLT_CANCELLED, "cancelled");
      if (response.transport != FLT_OK) {
        self->message = response.message;
        return self->complete({});
      }
      self->result.reachable = 1;
      if (response.status == 404 && path == "/readyz") return ask_health(self, "/healthz");
      self->result.ready = is_success(response) ? 1 : 0;
      if (self->result.ready == 0) self->message = path + ": " + read_refusal(response).message;
      ask_version(self);
    });
  }

  static void ask_version(const std::shared_ptr<Probe>& self) {
    self->connection->send(request("/version"), [self](HttpResponse response) {
      std::string version;
      try {
        if (is_success(response)) version = sdk::JsonView(response.body)["gitVersion"].string();
      } catch (const sdk::Failure&) {
        self->message = "/version: not JSON";
      }
      self->complete(version);
    });
  }
};

}  // namespace

Connection::Connection(const flt_host_t* host, const flt_cluster_ref_t& ref)
    : host_(host), impersonate_(view(ref.impersonate_user)), client_(host, client_options(ref)) {}

HttpRequest Connection::make(std::string_view method, std::string target, std::string_view body) const {
  HttpRequest request;
  request.method = method;
  request.target = std::move(target);
  request.body = body;
  request.headers.emplace_back("Accept", "application/json");
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  return request;
}

void Connection::send(HttpRequest request, Done done) {
  if (!impersonate_.empty()) request.headers.emplace_back("Impersonate-User", impersonate_);
  const std::uint64_t id = begin();
  if (id == 0) {
    HttpResponse refused;
    refused.transport = FLT_CANCELLED;
    refused.message = "the connection is closed";
    return done(std::move(refused));
  }
  attach(id, client_.send(request,
                          [self = shared_from_this(), id, done = std::move(done)](HttpResponse response) {
                            self->finish(id);
                            done(std::move(response));
                          }));
}

void Connection::send_for_object(HttpRequest request, Call call) {
  auto shared = std::make_shared<Call>(std::move(call));
  send(std::move(request), [host = host_, shared](HttpResponse response) {
    if (!is_success(response)) return refuse(host, *shared, response);
    shared->run([&](Call& own) {
      const ReadObject object = read_object(response.body);
      sdk::succeed_with_object(own, object.view(),
                               response.status == 201 ? FLT_APPLIED_CREATED : FLT_APPLIED_UPDATED);
    });
  });
}

// 0: closed.
std::uint64_t Connection::begin() {
  std::lock_guard lock(mutex_);
  if (closed_) return 0;
  running_.emplace(++last_id_, sdk::HttpExchange());
  return last_id_;
}

void Connection::attach(std::uint64_t id, sdk::HttpExchange exchange) {
  std::lock_guard lock(mutex_);
  if (closed_) return exchange.cancel();
  const auto it = running_.find(id);
  if (it != running_.end()) it->second = std::move(exchange);  // else it is over already
}

void Connection::finish(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  running_.erase(id);
}

void Connection::probe(Call& call) {
  auto probe = std::make_shared<Probe>();
  probe->connection = shared_from_this();
  probe->call = std::make_shared<Call>(std::move(call));
  probe->started = probe->now();
  Probe::ask_health(probe, "/readyz");
}

void Connection::discover(Call& call) {
  start_discovery(shared_from_this(), std::move(call));
}

void Connection::get(const flt_get_request_t& request, Call& call) {
  send_for_object(make("GET", path_of(request.gvr, view(request.ns), view(request.name))), std::move(call));
}

void Connection::list(const flt_list_request_t& request, Call& call) {
  Query query;
  query.add("labelSelector", view(request.label_selector)).add("fieldSelector", view(request.field_selector));
  const bool has_metric =
      request.struct_size >= offsetof(flt_list_request_t, metric_selector) + sizeof(flt_str_t);
  if (has_metric) query.add("metricLabelSelector", view(request.metric_selector));
  query.add("limit", request.limit > 0 ? std::to_string(request.limit) : kPage);
  query.add("continue", view(request.continue_token));
  HttpRequest list = make("GET", query.append_to(path_of(request.gvr, view(request.ns))));
  list.timeout_ns = kListTimeout;
  auto shared = std::make_shared<Call>(std::move(call));
  send(std::move(list), [host = host_, shared](HttpResponse response) {
    if (!is_success(response)) return refuse(host, *shared, response);
    shared->run([&](Call& own) {
      const ReadList list = read_list(response.body);
      const sdk::Arena arena = own.arena();
      const auto pointers = arena.array<const flt_object_t*>(list.objects.size());
      for (std::size_t i = 0; i < pointers.size(); ++i)
        pointers[i] = &copy_object(arena, list.objects[i].view());
      auto& result = arena.make<flt_list_result_t>();
      result.struct_size = sizeof result;
      result.objects = pointers.data();
      result.n_objects = pointers.size();
      result.resource_version = arena.copy(list.resource_version);
      result.continue_token = arena.copy(list.continue_token);
      own.succeed(&result);
    });
  });
}

void Connection::apply(const flt_apply_request_t& request, Call& call) {
  Query query;
  query.add("fieldManager", view(request.field_manager));
  if ((request.flags & FLT_APPLY_DRY_RUN) != 0) query.add("dryRun", "All");
  const std::string collection = query.append_to(path_of(request.gvr, view(request.ns)));
  const std::string path = path_of(request.gvr, view(request.ns), view(request.name));
  const std::string_view body = view(request.object);
  switch (request.mode) {
    case FLT_APPLY_CREATE:
      return send_for_object(make("POST", collection, body), std::move(call));
    case FLT_APPLY_UPDATE:
      return send_for_object(make("PUT", query.append_to(path), body), std::move(call));
    case FLT_APPLY_SSA: {
      if ((request.flags & FLT_APPLY_FORCE) != 0) query.add("force", "true");
      HttpRequest patch = make("PATCH", query.append_to(path), body);
      patch.headers.back().second = "application/apply-patch+yaml";  // JSON is YAML
      return send_for_object(std::move(patch), std::move(call));
    }
    case FLT_APPLY_UPSERT: {
      auto shared = std::make_shared<Call>(std::move(call));
      auto text = std::make_shared<const std::string>(body);
      const auto create = [self = shared_from_this(), collection, text, shared] {
        self->send_for_object(self->make("POST", collection, *text), std::move(*shared));
      };
      return send(make("PUT", query.append_to(path), *text),
                  [host = host_, shared, create](HttpResponse response) {
                    if (response.transport == FLT_OK && response.status == 404) return create();
                    if (!is_success(response)) return refuse(host, *shared, response);
                    shared->run([&](Call& own) {
                      sdk::succeed_with_object(own, read_object(response.body).view(), FLT_APPLIED_UPDATED);
                    });
                  });
    }
    default:
      throw sdk::Failure(FLT_UNIMPLEMENTED, "unknown mode of apply");
  }
}

void Connection::remove(const flt_remove_request_t& request, Call& call) {
  const std::string body = delete_options(request);
  auto shared = std::make_shared<Call>(std::move(call));
  send(make("DELETE", path_of(request.gvr, view(request.ns), view(request.name)), body),
       [host = host_, shared](HttpResponse response) {
         if (!is_success(response)) return refuse(host, *shared, response);
         const sdk::Arena arena = shared->arena();
         auto& result = arena.make<flt_object_result_t>();
         result.struct_size = sizeof result;
         shared->succeed(&result);
       });
}

// A watch under way: what its reader, the host's credit callback and close() share.
class Connection::Watch {
 public:
  explicit Watch(sdk::EventStream stream) : stream_(std::move(stream)) {}

  void set(sdk::HttpExchange exchange) {
    std::lock_guard lock(mutex_);
    exchange_ = std::move(exchange);
    if (cancel_wanted_) exchange_.cancel();
  }
  void cancel() {
    std::lock_guard lock(mutex_);
    stop();
  }
  // Credit came back, or the host closed the stream.
  void on_credit() {
    std::lock_guard lock(mutex_);
    stream_.closed() ? stop() : exchange_.resume();
  }
  static void listen(const std::shared_ptr<Watch>& self) {
    std::lock_guard lock(self->mutex_);
    self->stream_.on_credit([weak = std::weak_ptr<Watch>(self)] {
      if (const auto watch = weak.lock()) watch->on_credit();
    });
  }
  void push(std::span<const sdk::WatchEventView> events) {
    std::lock_guard lock(mutex_);
    if (events.empty() || stream_.closed()) return;
    const std::int64_t credit = stream_.push(events);
    if (credit < 0) stop();
    if (credit == 0) exchange_.pause();
  }
  void end() {
    std::lock_guard lock(mutex_);
    stream_.end();
  }
  void fail(flt_status_t code, std::string_view message, std::string_view reason = {}, int http_status = 0) {
    std::lock_guard lock(mutex_);
    stream_.fail(code, message, reason, http_status);
    stop();
  }
  // The call that should have started it failed.
  void forget() {
    std::lock_guard lock(mutex_);
    stream_.forget();
  }

 private:
  void stop() {
    cancel_wanted_ = true;
    exchange_.cancel();
  }

  std::mutex mutex_;  // all below
  sdk::EventStream stream_;
  sdk::HttpExchange exchange_;
  bool cancel_wanted_ = false;
};

// Turns the lines of a watch into events. The exchange owns it.
class Connection::WatchReader final : public sdk::HttpStreamHandler {
 public:
  WatchReader(const flt_host_t* host, std::shared_ptr<Watch> watch, Call call)
      : host_(host), watch_(std::move(watch)), call_(std::move(call)) {}

  void head(const HttpResponse& response) override {
    response_ = response;
    if (!is_success(response)) return;
    started_ = true;
    call_.succeed(nullptr);
    Watch::listen(watch_);
  }

  void body(std::string_view bytes) override {
    if (!started_) {
      response_.body.append(bytes);
      return;
    }
    pending_.append(bytes);
    std::deque<ReadEvent> events;
    std::size_t from = 0;
    try {
      for (std::size_t end; (end = pending_.find('\n', from)) != std::string::npos; from = end + 1) {
        const std::string_view line = std::string_view(pending_).substr(from, end - from);
        if (line.find_first_not_of(" \r\t") != std::string_view::npos) events.push_back(read_event(line));
      }
      pending_.erase(0, from);
    } catch (const sdk::Failure& broken) {
      return watch_->fail(broken.code(), std::string("event of a watch: ") + broken.what());
    }
    push(events);
  }

  void done(flt_status_t transport, std::string_view message) override {
    if (!started_) {
      watch_->forget();
      response_.transport = transport;
      response_.message = message;
      return refuse(host_, call_, response_);
    }
    if (transport == FLT_OK || transport == FLT_CANCELLED || transport == FLT_DEADLINE_EXCEEDED) {
      watch_->end();  // silence for so long is an end like any other: the host watches on
    } else {
      watch_->fail(transport, message);
    }
  }

 private:
  void push(const std::deque<ReadEvent>& events) {
    std::vector<sdk::WatchEventView> views;
    views.reserve(events.size());
    for (const ReadEvent& event : events) {
      if (event.is_error) break;
      views.push_back({event.type, event.object.view()});
    }
    watch_->push(views);
    if (views.size() == events.size()) return;
    const Refusal& refusal = events[views.size()].refusal;
    watch_->fail(refusal.code, refusal.message, refusal.reason, refusal.http_status);
  }

  const flt_host_t* host_;
  const std::shared_ptr<Watch> watch_;
  Call call_;
  bool started_ = false;
  HttpResponse response_;
  std::string pending_;  // the beginning of a line
};

void Connection::close() {
  std::map<std::uint64_t, sdk::HttpExchange> running;
  std::vector<std::weak_ptr<Watch>> watches;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    running.swap(running_);
    watches.swap(watches_);
  }
  for (const auto& each : watches) {
    if (const auto watch = each.lock()) watch->cancel();
  }
  for (const auto& [id, exchange] : running) exchange.cancel();
}

void Connection::watch(const flt_list_request_t& request, sdk::EventStream& stream, Call& call) {
  Query query;
  query.add("watch", "1").add("allowWatchBookmarks", "true").add("timeoutSeconds", kWatchSeconds);
  query.add("resourceVersion", view(request.resource_version));
  query.add("labelSelector", view(request.label_selector)).add("fieldSelector", view(request.field_selector));
  HttpRequest start = make("GET", query.append_to(path_of(request.gvr, view(request.ns))));
  start.idle_timeout_ns = kWatchSilence;
  if (!impersonate_.empty()) start.headers.emplace_back("Impersonate-User", impersonate_);
  auto watch = std::make_shared<Watch>(std::move(stream));
  auto reader = std::make_unique<WatchReader>(host_, watch, std::move(call));
  {
    std::lock_guard lock(mutex_);
    std::erase_if(watches_, [](const auto& each) { return each.expired(); });
    watches_.push_back(watch);
  }
  watch->set(client_.open(start, std::move(reader)));
}

}  // namespace flotilla::kubernetes
