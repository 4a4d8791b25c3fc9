// SPDX-License-Identifier: Apache-2.0
// What the rest of the daemon sees of HTTP: values, a handler, a server, a client. No Beast type leaves
// core/http.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/async/executor.hpp"
#include "core/async/task.hpp"
#include "core/base/result.hpp"

namespace flotilla::http {

// Names compare without regard to case; a name may occur several times.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);
  // The first value, or empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Bytes that somebody else owns and keeps alive: objects of the store are sent without a copy.
struct Chunk {
  std::shared_ptr<const void> owner;
  std::string_view bytes;

  static Chunk of(std::string text);  // owns a copy
  static Chunk of_static(std::string_view text) { return {nullptr, text}; }
};

// The other end of the connection.
struct Peer {
  std::string address;  // "127.0.0.1:51234"
  // A certificate that the client CA did not sign does not break the connection (kube-apiserver answers 401
  // then): `presented` is set, `verified` is not, and the names below are empty.
  bool certificate_presented = false;
  bool certificate_verified = false;
  std::string common_name;
  std::vector<std::string> organizations;
  // The user id at the other end of a Unix socket.
  std::optional<std::uint32_t> local_user;
};

struct Request {
  std::string method;  // "GET"
  std::string path;    // decoded path only where it is safe: still percent-encoded, without query
  std::string query;   // raw, without '?'
  Headers headers;
  std::string body;
  Peer peer;
};

// A body that comes in pieces: watches, logs. Owned by the connection; destroyed when the peer is gone.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // The next pieces; empty: the end. The fiber is cancelled when the peer closes.
  virtual Task<std::vector<Chunk>> next() = 0;
};

// After a 101: the raw bytes of the connection in both directions (exec, port-forward, proxied upgrades).
// Thread: the connection's strand; one read and one write may be under way at a time.
class Duplex {
 public:
  virtual ~Duplex() = default;
  virtual Task<Result<std::string>> read() = 0;  // empty: the end
  virtual Task<Status> write(std::string bytes) = 0;
  // Ends both directions; a read under way sees the end.
  virtual void close() {}
};

struct Response {
  int status = 200;
  Headers headers;
  std::vector<Chunk> body;
  std::unique_ptr<BodyStream> stream;                          // instead of body
  std::optional<std::size_t> stream_size;                      // all that it will give, where that is known
  std::function<Task<void>(std::shared_ptr<Duplex>)> upgrade;  // with status 101
};

// Runs on the connection's strand. Never throws. When the server stops, it is cancelled (A5).
using Handler = std::function<Task<Response>(Request)>;

// Empty: plain HTTP.
struct TlsIdentity {
  std::string certificate_pem;  // with chain
  std::string key_pem;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  // Served beside the port, without TLS, for the daemon's own user alone (mode 0600). Empty: none.
  std::string socket_path;
  TlsIdentity identity;
  std::string client_ca_pem;  // client certificates are asked for, and verified against this
  std::size_t max_body_bytes = 3u << 20;
  std::size_t max_header_bytes = 64u << 10;
  std::size_t max_connections = 20'000;
  Duration idle_timeout = std::chrono::minutes(5);
  Duration header_timeout = std::chrono::seconds(30);  // TLS handshake, request head, gaps in a body
  Duration write_timeout = std::chrono::minutes(1);    // a peer that takes nothing for so long is dropped
  // The answer to what never reaches the handler (400, 413, 431, 500). Default: plain text.
  std::function<Response(int status, std::string_view message)> error_response;
};

// HTTP/2 (agreed upon with ALPN; without TLS for clients that begin with it) and HTTP/1.1 with keep-alive,
// whose pipelined requests are answered in order, one at a time. Timeouts are looked at once a second against
// the executor's clock.
class Server {
 public:
  Server(const Executor& executor, ServerOptions options, Handler handler);
  ~Server();
  // Binds and begins to accept. Errors name address, port and cause ("address already in use: ...").
  Status start();
  std::uint16_t port() const;
  std::size_t connections() const;
  // No new connections; running requests get until `deadline`, streams are ended at once. Not from an I/O
  // thread.
  void stop(Duration deadline);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// One API endpoint and how to talk to it; connections are kept and reused, at most `max_connections` plain
// requests at once (streams do not count).
struct ClientOptions {
  std::string base_url;  // "https://127.0.0.1:6443", may have a path prefix; http:// works too
  std::string ca_pem;    // empty: the system's
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::string bearer_token;
  std::string basic_user, basic_password;
  std::string server_name;  // for verification and SNI; empty: the host
  std::string proxy_url;    // http:// and https:// (CONNECT), socks5://
  Headers proxy_headers;    // of the CONNECT
  bool insecure_skip_verify = false;
  bool only_tls_1_3 = false;  // else 1.2 will do
  std::size_t max_connections = 16;
  std::size_t max_body_bytes = 256u << 20;
  std::size_t max_header_bytes = 256u << 10;
  Duration connect_timeout = std::chrono::seconds(10);
};

struct ClientRequest {
  std::string method = "GET";
  std::string target;  // path with query, joined to the base URL's path
  Headers headers;
  std::string body;
  Duration timeout = std::chrono::seconds(30);  // until the whole answer is here; for streams until the head
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

// An answer that is read piece by piece.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;  // closes the connection if the end was not reached
  virtual int status() const = 0;
  virtual const Headers& headers() const = 0;
  // Empty: the end. Errors: Unavailable (cut), Timeout (nothing for `idle`).
  virtual Task<Result<std::string>> read(Duration idle) = 0;
};

// What became of a request to switch protocols (websockets, SPDY).
struct Upgraded {
  std::unique_ptr<ResponseStream> answer;
  std::shared_ptr<Duplex> duplex;  // null: the peer did not switch, and `answer` says why
};

// Thread: send and open from any fiber. The client may be destroyed while answers are being read.
class Client {
 public:
  // Bad PEM or a bad URL is reported by the first send.
  Client(const Executor& executor, ClientOptions options);
  ~Client();
  // Errors: Unavailable (connect, reset), Timeout, Unauthorized (TLS refused). HTTP error statuses are
  // answers. A request on a reused connection that the peer closed meanwhile is tried once more on a new one
  // when that is safe.
  Task<Result<ClientResponse>> send(ClientRequest request);
  Task<Result<std::unique_ptr<ResponseStream>>> open(ClientRequest request);
  // The request names the protocol (Connection, Upgrade). On a connection of its own, which belongs to the
  // fiber that asked.
  Task<Result<Upgraded>> upgrade(ClientRequest request);
  // Drops idle connections and refuses new requests; those under way go on.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace flotilla::http
