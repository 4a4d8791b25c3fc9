// SPDX-License-Identifier: Apache-2.0
// HTTP/2 on one connection: nghttp2 keeps the protocol, this runs the handlers and moves the bytes. Internal
// to core/http. Everything runs on the connection's strand.
//
// Bounded per connection: streams at once, handlers that run for streams already reset, bytes of requests
// being received, the head of each request; a stream whose peer takes or sends nothing for too long is reset.
#pragma once

#include <nghttp2/nghttp2.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/async/fiber_scope.hpp"
#include "core/http/server_context.hpp"
#include "core/http/strand_signal.hpp"

namespace flotilla::http {

class Http2Session {
 public:
  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  static constexpr std::uint32_t kMaxStreams = 250;

  // All outlive the session.
  Http2Session(ServerContext& server, Wire& wire, const Peer& peer, Deadline& deadline);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // Until the peer or the server ends the connection and all handlers are through.
  Task<void> serve();
  // Says GOAWAY, ends streamed answers; what runs is answered first.
  void begin_stop();
  // Resets what takes too long. False: the connection itself does.
  bool check_deadline(SteadyTime now);
  // The socket is gone.
  void abandon();

 private:
  struct Stream;
  using StreamPtr = std::shared_ptr<Stream>;
  struct Callbacks;  // what nghttp2 calls

  void start();
  Task<void> write_loop();
  bool gather();
  Task<void> serve_stream(StreamPtr stream);
  Task<void> pump(StreamPtr stream, std::unique_ptr<BodyStream> source);
  void spawn_ready();
  void begin_stream(std::int32_t id);
  void take_header(Stream& stream, std::string_view name, std::string_view value);
  void take_data(Stream& stream, std::string_view bytes);
  void request_is_whole(const StreamPtr& stream);
  void stream_closed(std::int32_t id);
  void submit(const StreamPtr& stream, const Response& response, bool has_body);
  ssize_t offer_data(Stream& stream, std::size_t room, std::uint32_t& flags);
  void append_data(Stream& stream, std::string_view frame_head, std::size_t count);
  void end_all();
  void schedule();
  StreamPtr find(std::int32_t id) const;

  ServerContext& server_;
  Wire& wire_;
  const Peer& peer_;
  Deadline& deadline_;
  nghttp2_session* session_ = nullptr;
  FiberScope fibers_;
  StrandSignal wake_;  // the writer
  std::map<std::int32_t, StreamPtr> streams_;
  std::vector<StreamPtr> ready_;  // whole requests, to be started outside nghttp2
  std::string out_;
  std::size_t received_ = 0;  // bytes of request bodies held
  std::size_t running_ = 0;   // handlers
  SteadyTime write_began_{};
  SteadyTime last_heard_{};
  bool writing_ = false;
  bool stopping_ = false;
  bool closed_ = false;
};

}  // namespace flotilla::http
