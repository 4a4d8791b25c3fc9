// SPDX-License-Identifier: Apache-2.0
// One client of the server: reads requests, runs the handler, writes answers. Internal to core/http.
// Everything runs on the connection's strand, except the posted begin_stop(), force_close() and
// check_deadline().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/async/fiber_scope.hpp"
#include "core/http/http2_session.hpp"
#include "core/http/server_context.hpp"

namespace flotilla::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `tls` may differ from connection to connection: local ones have none.
  Connection(std::shared_ptr<ServerContext> server, Socket socket, bool tls);

  // The fiber: until the peer or the server ends the connection.
  Task<void> serve();
  const AnyExecutor& strand() const { return strand_; }
  // From any thread. An idle connection closes, a stream ends, a running request is answered first.
  void begin_stop();
  void force_close();
  // Closes if the deadline has passed. From any thread.
  void check_deadline(SteadyTime now);

 private:
  class UpgradedDuplex;
  struct Incoming;
  enum class Phase { Waiting, Working, Streaming, Upgraded };

  Task<bool> handshake();
  Task<bool> speaks_http2();
  Task<void> serve_http1();
  Task<bool> read_request(Incoming& incoming);
  Task<bool> respond(Response response, bool is_head, bool http_1_1);
  Task<bool> write_body(std::vector<Chunk> body);
  Task<bool> stream_body(std::unique_ptr<BodyStream> stream, bool chunked);
  Task<void> pump(std::unique_ptr<BodyStream> stream, bool chunked);
  Task<bool> write_frame(std::vector<Chunk> chunks, bool chunked);
  Task<void> run_upgrade(Response response);
  Task<bool> refuse(Incoming& incoming);
  Task<void> say_goodbye();
  void write_head(const Response& response, std::string_view framing);
  void close();

  const std::shared_ptr<ServerContext> server_;
  Wire wire_;
  BlockWriter writer_;
  AnyExecutor strand_;
  Peer peer_;
  Phase phase_ = Phase::Waiting;
  const bool uses_tls_;
  bool keep_alive_ = true;
  bool closed_ = false;
  bool stream_ended_ = false;  // pump wrote the last chunk
  bool between_frames_ = true;
  std::optional<std::size_t> promised_;  // bytes that the stream is still to give
  FiberScope* stream_scope_ = nullptr;
  Deadline deadline_;
  std::unique_ptr<Http2Session> http2_;
};

}  // namespace flotilla::http
