// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "core/apiserver/admission/service_resolver.hpp"
#include "core/apiserver/aggregation/aggregation.hpp"
#include "core/apiserver/monitoring/overload.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/webhook_endpoint.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/http/url.hpp"

namespace flotilla::apiserver {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60);
constexpr Duration kWatchPatience = std::chrono::hours(24);
constexpr std::string_view kHopByHop[] = {
    "connection",        "keep-alive", "proxy-authenticate", "te", "trailer",
    "transfer-encoding", "upgrade",    "proxy-authorization"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

bool is_hop_by_hop(const std::string& lower_name) {
  return std::find(std::begin(kHopByHop), std::end(kHopByHop), lower_name) != std::end(kHopByHop);
}

bool passes(std::string_view name) {
  const std::string key = lower(name);
  if (is_hop_by_hop(key)) return false;
  return key != "host" && key != "content-length" && key != "authorization" &&
         !key.starts_with("x-remote-") && !key.starts_with("impersonate-");
}

http::ClientRequest forwarded(const Call& call) {
  http::ClientRequest out;
  out.method = call.request.method;
  out.target = call.request.path + (call.request.query.empty() ? "" : "?" + call.request.query);
  for (const auto& [name, value] : call.request.headers.fields()) {
    if (passes(name)) out.headers.add(name, value);
  }
  add_remote_user(out.headers, call.user);
  const std::string& address = call.request.peer.address;
  out.headers.add("X-Forwarded-For", address.substr(0, address.rfind(':')));
  out.headers.set("X-Forwarded-Host", std::string(call.request.headers.get("Host")));
  out.headers.set("X-Forwarded-Proto", "https");
  out.body = call.request.body;
  out.timeout = kPatience;
  return out;
}

// The backend's answer, passed on as it comes.
class RemoteStream final : public http::BodyStream {
 public:
  RemoteStream(std::shared_ptr<http::Client> client, std::unique_ptr<http::ResponseStream> stream, bool lasts)
      : client_(std::move(client)),
        stream_(std::move(stream)),
        patience_(lasts ? kWatchPatience : kPatience) {}

  Task<std::vector<http::Chunk>> next() override {
    auto reading = stream_->read(patience_);
    auto piece = co_await std::move(reading);
    std::vector<http::Chunk> out;
    if (piece && !piece->empty()) out.push_back(http::Chunk::of(*std::move(piece)));
    co_return out;
  }

 private:
  std::shared_ptr<http::Client> client_;
  std::unique_ptr<http::ResponseStream> stream_;
  Duration patience_;
};

}  // namespace

void add_remote_user(http::Headers& headers, const UserInfo& user) {
  headers.add("X-Remote-User", user.name);
  if (!user.uid.empty()) headers.add("X-Remote-Uid", user.uid);
  for (const std::string& group : user.groups) headers.add("X-Remote-Group", group);
  for (const auto& [key, values] : user.extra) {
    for (const std::string& value : values) headers.add("X-Remote-Extra-" + http::percent_encode(key), value);
  }
}

Result<std::shared_ptr<http::Client>> client_of_remote(const Server& server, const RemoteVersion& remote) {
  const auto address = resolve_service(server.store, remote.service_ns, remote.service_name, remote.port);
  if (!address) return address.error();
  const std::string base = "https://" + address->authority();
  const auto held = remote.kept.load(std::memory_order_acquire);
  if (held && held->base_url == base) return held->client;
  http::ClientOptions options;
  options.base_url = base;
  options.ca_pem = remote.ca_pem;
  options.insecure_skip_verify = remote.insecure;
  options.server_name = remote.service_name + "." + remote.service_ns + ".svc";
  options.client_certificate_pem = server.options.proxy_identity.certificate_pem;
  options.client_key_pem = server.options.proxy_identity.key_pem;
  options.max_connections = 64;
  auto fresh = std::make_shared<KeptClient>();
  fresh->base_url = base;
  fresh->client = std::make_shared<http::Client>(server.executor, std::move(options));
  remote.kept.store(fresh, std::memory_order_release);
  return fresh->client;
}

namespace {

http::Response streamed(const CallPtr& call, std::shared_ptr<http::Client> client,
                        std::unique_ptr<http::ResponseStream> stream) {
  http::Response response;
  response.status = stream->status();
  for (const auto& [name, value] : stream->headers().fields()) {
    const std::string key = lower(name);
    if (key != "content-length" && !is_hop_by_hop(key)) response.headers.add(name, value);
  }
  if (response.status == 204 || response.status == 304 || call->request.method == "HEAD") return response;
  response.stream =
      std::make_unique<RemoteStream>(std::move(client), std::move(stream), is_long_running(call->info));
  return response;
}

// Everything that comes from one end goes to the other, a piece at a time.
Task<void> pump(std::shared_ptr<http::Duplex> from, std::shared_ptr<http::Duplex> to) {
  for (;;) {
    auto reading = from->read();
    auto bytes = co_await std::move(reading);
    if (!bytes || bytes->empty()) co_return;
    auto writing = to->write(*std::move(bytes));
    if (!co_await std::move(writing)) co_return;
  }
}

// As kube-apiserver: whichever end stops first ends both directions.
Task<void> pump_then_close(std::shared_ptr<http::Duplex> from, std::shared_ptr<http::Duplex> to) {
  auto pumping = pump(from, to);
  co_await std::move(pumping);
  to->close();
}

Task<void> splice(std::shared_ptr<http::Duplex> backend, std::shared_ptr<http::Duplex> client) {
  // Cancelled reads say so; nothing may leave this fiber before the other one has ended.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const AnyExecutor executor = co_await boost::asio::this_coro::executor;
  FiberScope scope(executor, "upgraded");
  scope.spawn(pump_then_close(client, backend));
  auto pumping = pump(backend, client);
  co_await std::move(pumping);
  backend->close();
  scope.cancel();
  auto joining = scope.join();
  co_await std::move(joining);
}

// A token among the subprotocols is for us, not for the backend.
std::string without_token(std::string_view protocols) {
  std::string out;
  while (!protocols.empty()) {
    const auto comma = protocols.find(',');
    std::string_view one = protocols.substr(0, comma);
    protocols = comma == protocols.npos ? std::string_view() : protocols.substr(comma + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.empty() || one.starts_with("base64url.bearer.authorization.k8s.io.")) continue;
    out.append(out.empty() ? "" : ", ").append(one);
  }
  return out;
}

Task<http::Response> serve_upgrade(CallPtr call, std::shared_ptr<http::Client> client) {
  http::ClientRequest request = forwarded(*call);
  request.headers.set("Connection", "Upgrade");
  request.headers.set("Upgrade", std::string(call->request.headers.get("Upgrade")));
  if (request.headers.has("Sec-WebSocket-Protocol"))
    request.headers.set("Sec-WebSocket-Protocol",
                        without_token(request.headers.get("Sec-WebSocket-Protocol")));
  auto upgrading = client->upgrade(std::move(request));
  auto upgraded = co_await std::move(upgrading);
  if (!upgraded) {
    co_return error_response(*call, Error(Code::Unavailable, "error trying to reach service: " +
                                                                 go_transport_error(upgraded.error())));
  }
  if (!upgraded->duplex) co_return streamed(call, std::move(client), std::move(upgraded->answer));
  http::Response response;
  response.status = 101;
  for (const auto& [name, value] : upgraded->answer->headers().fields()) response.headers.add(name, value);
  response.upgrade = [backend = upgraded->duplex](std::shared_ptr<http::Duplex> peer) {
    return splice(backend, std::move(peer));
  };
  co_return response;
}

}  // namespace

Task<http::Response> serve_remote(ServerPtr server, CallPtr call, RemotePtr remote) {
  if (!remote->available) co_return text_response(503, "service unavailable\n");
  const auto client = client_of_remote(*server, *remote);
  const auto unreachable = [&](const std::string& why) {
    return error_response(*call, Error(Code::Unavailable, "error trying to reach service: " + why));
  };
  if (!client) co_return unreachable(client.error().message());
  if (call->request.headers.has("Upgrade")) {
    auto upgrading = serve_upgrade(call, *client);
    co_return co_await std::move(upgrading);
  }
  auto opening = (*client)->open(forwarded(*call));
  auto stream = co_await std::move(opening);
  if (!stream) co_return unreachable(go_transport_error(stream.error()));
  co_return streamed(call, *client, *std::move(stream));
}

}  // namespace flotilla::apiserver
