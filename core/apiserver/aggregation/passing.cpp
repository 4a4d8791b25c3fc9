// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/aggregation/passing.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "core/apiserver/monitoring/overload.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/webhook_endpoint.hpp"
#include "core/async/fiber_scope.hpp"

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

http::Response unreachable(const Call& call, const Error& error) {
  return error_response(
      call, Error(Code::Unavailable, "error trying to reach service: " + go_transport_error(error)));
}

Task<http::Response> pass_upgrade(CallPtr call, std::shared_ptr<http::Client> client,
                                  http::ClientRequest request) {
  request.headers.set("Connection", "Upgrade");
  request.headers.set("Upgrade", std::string(call->request.headers.get("Upgrade")));
  if (request.headers.has("Sec-WebSocket-Protocol"))
    request.headers.set("Sec-WebSocket-Protocol",
                        without_token(request.headers.get("Sec-WebSocket-Protocol")));
  auto upgrading = client->upgrade(std::move(request));
  auto upgraded = co_await std::move(upgrading);
  if (!upgraded) co_return unreachable(*call, upgraded.error());
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

http::ClientRequest forwarded_request(const Call& call, std::string target) {
  http::ClientRequest out;
  out.method = call.request.method;
  out.target = std::move(target);
  for (const auto& [name, value] : call.request.headers.fields()) {
    if (passes(name)) out.headers.add(name, value);
  }
  const std::string& address = call.request.peer.address;
  out.headers.add("X-Forwarded-For", address.substr(0, address.rfind(':')));
  out.headers.set("X-Forwarded-Host", std::string(call.request.headers.get("Host")));
  out.headers.set("X-Forwarded-Proto", "https");
  out.body = call.request.body;
  out.timeout = kPatience;
  return out;
}

Task<http::Response> pass_on(CallPtr call, std::shared_ptr<http::Client> client,
                             http::ClientRequest request) {
  if (call->request.headers.has("Upgrade")) {
    auto upgrading = pass_upgrade(call, std::move(client), std::move(request));
    co_return co_await std::move(upgrading);
  }
  auto opening = client->open(std::move(request));
  auto stream = co_await std::move(opening);
  if (!stream) co_return unreachable(*call, stream.error());
  co_return streamed(call, std::move(client), *std::move(stream));
}

}  // namespace flotilla::apiserver
