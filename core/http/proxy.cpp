// SPDX-License-Identifier: Apache-2.0
// The way through a proxy: CONNECT (RFC 9110), on TLS or not, and SOCKS 5 (RFC 1928, 1929).
#include <cstdint>

#include "core/base/base64.hpp"
#include "core/http/pool.hpp"
#include "core/http/status.hpp"

namespace flotilla::http {
namespace {

constexpr std::size_t kLongest = 255;  // of a name, a user, a password

Error at_proxy(const Url& proxy, const std::string& why) {
  return Error(Code::Unavailable, "connect to proxy " + proxy.authority() + ": " + why);
}

// At least `count` bytes ahead. False: the proxy hung up.
Task<bool> read_at_least(Wire& wire, std::size_t count) {
  while (wire.ahead().size() < count) {
    auto filling = wire.fill();
    if (!co_await std::move(filling)) co_return false;
  }
  co_return true;
}

unsigned byte_at(Wire& wire, std::size_t at) {
  return static_cast<unsigned char>(wire.ahead().data()[at]);
}

std::string counted(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + text;
}

const char* socks_failure(unsigned code) {
  switch (code) {
    case 1:
      return "general failure";
    case 2:
      return "not allowed";
    case 3:
      return "network unreachable";
    case 4:
      return "host unreachable";
    case 5:
      return "connection refused";
    case 6:
      return "it took too long";
    case 7:
      return "command not supported";
    case 8:
      return "address type not supported";
    default:
      return "unknown failure";
  }
}

}  // namespace

// CONNECT through the proxy; its answer has no body.
Task<Status> ConnectionPool::tunnel(PooledWirePtr connection) {
  const std::string target = (url_.host.find(':') == std::string::npos ? url_.host : "[" + url_.host + "]") +
                             ":" + std::to_string(url_.port);
  std::string head = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy_.user.empty()) {
    append_field(head, "Proxy-Authorization", "Basic " + base64_encode(proxy_.user + ":" + proxy_.password));
  }
  for (const auto& [name, value] : options_.proxy_headers.fields()) append_field(head, name, value);
  head += "\r\n";
  Wire& wire = connection->wire;
  if (proxy_tls_) {
    wire.start_tls(*proxy_tls_, TlsSession::Side::Client);
    auto shaking = shake_hands(connection, proxy_.host, "proxy " + proxy_.authority());
    if (Status shaken = co_await std::move(shaking); !shaken) co_return shaken;
  }
  auto writing = wire.write_all(head);
  const auto [error, count] = co_await std::move(writing);
  if (error) co_return at_proxy(proxy_, error.message());
  std::size_t end = std::string_view::npos;
  while ((end = wire.ahead().data().find("\r\n\r\n")) == std::string_view::npos) {
    if (wire.ahead().size() > options_.max_header_bytes) break;
    auto filling = wire.fill();
    if (!co_await std::move(filling)) break;
  }
  const std::string status_line(wire.ahead().data().substr(0, wire.ahead().data().find("\r\n")));
  if (end == std::string_view::npos || status_line.size() < 12 || status_line.substr(8, 2) != " 2") {
    co_return at_proxy(proxy_, "it answered \"" + status_line + "\" to CONNECT " + target);
  }
  wire.ahead().consume(end + 4);
  co_return Status();
}

// The name goes to the proxy as it is: it may know hosts that nobody here does.
Task<Status> ConnectionPool::tunnel_socks(PooledWirePtr connection) {
  Wire& wire = connection->wire;
  if (url_.host.size() > kLongest || proxy_.user.size() > kLongest || proxy_.password.size() > kLongest)
    co_return at_proxy(proxy_, "a name is too long for SOCKS");
  const bool logs_in = !proxy_.user.empty();
  const std::string greeting = logs_in ? std::string("\x05\x02\x00\x02", 4) : std::string("\x05\x01\x00", 3);
  auto greeting_it = wire.write_all(greeting);
  if (const auto [error, count] = co_await std::move(greeting_it); error)
    co_return at_proxy(proxy_, error.message());
  auto hearing = read_at_least(wire, 2);
  if (!co_await std::move(hearing)) co_return at_proxy(proxy_, "it hung up");
  const unsigned version = byte_at(wire, 0), method = byte_at(wire, 1);
  wire.ahead().consume(2);
  if (version != 5) co_return at_proxy(proxy_, "it does not speak SOCKS 5");
  if (method == 2 && logs_in) {
    const std::string login = "\x01" + counted(proxy_.user) + counted(proxy_.password);
    auto saying = wire.write_all(login);
    if (const auto [error, count] = co_await std::move(saying); error)
      co_return at_proxy(proxy_, error.message());
    auto waiting = read_at_least(wire, 2);
    if (!co_await std::move(waiting)) co_return at_proxy(proxy_, "it hung up");
    const unsigned verdict = byte_at(wire, 1);
    wire.ahead().consume(2);
    if (verdict != 0) co_return at_proxy(proxy_, "it refuses this user and password");
  } else if (method != 0) {
    co_return at_proxy(proxy_, "it wants a way to log in that is not known here");
  }
  std::string request("\x05\x01\x00\x03", 4);
  request += counted(url_.host);
  request += static_cast<char>(url_.port >> 8);
  request += static_cast<char>(url_.port & 0xff);
  auto asking = wire.write_all(request);
  if (const auto [error, count] = co_await std::move(asking); error)
    co_return at_proxy(proxy_, error.message());
  auto answering = read_at_least(wire, 5);
  if (!co_await std::move(answering)) co_return at_proxy(proxy_, "it hung up");
  if (const unsigned code = byte_at(wire, 1); code != 0)
    co_return at_proxy(
        proxy_, std::string("it does not connect to ") + url_.authority() + ": " + socks_failure(code));
  const unsigned type = byte_at(wire, 3);
  const std::size_t address = type == 1 ? 4 : type == 4 ? 16 : 1 + byte_at(wire, 4);
  auto rest = read_at_least(wire, 4 + address + 2);
  if (!co_await std::move(rest)) co_return at_proxy(proxy_, "it hung up");
  wire.ahead().consume(4 + address + 2);
  co_return Status();
}

}  // namespace flotilla::http
