// SPDX-License-Identifier: Apache-2.0
#include "core/http/connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>

#include "core/base/log.hpp"
#include "core/http/message.hpp"
#include "core/http/socket.hpp"

namespace flotilla::http {

namespace {

const Logger kLog("http");
constexpr std::size_t kMaxAheadWhileStreaming = 64u << 10;
constexpr std::size_t kMaxDrain = 16u << 20;  // of a refused body, so that the client reads the answer
constexpr Duration kGoodbyeTime = std::chrono::seconds(2);

}  // namespace

struct Connection::Incoming {
  MessageParser<true> parser;
  int refusal = 0;  // status to answer instead of the handler
  std::string refusal_text;

  void refuse(const ErrorCode& error, std::size_t max_body) {
    if (error == beast_http::error::header_limit) {
      refusal = 431;
      refusal_text = "request header fields too large";
    } else if (error == beast_http::error::body_limit) {
      refusal = 413;
      refusal_text = "request entity too large: limit is " + std::to_string(max_body);
    } else {
      refusal = 400;
      refusal_text = "malformed HTTP request";
    }
  }

  Request take(const Peer& peer) {
    Request request;
    set_target(request, parser.target);
    request.method = std::move(parser.method);
    request.headers = std::move(parser.headers);
    request.body = std::move(parser.body);
    request.peer = peer;
    return request;
  }
};

Connection::Connection(std::shared_ptr<ServerContext> server, Socket socket, bool tls)
    : server_(std::move(server)),
      wire_(std::move(socket)),
      writer_(wire_),
      strand_(wire_.socket().get_executor()),
      uses_tls_(tls),
      deadline_(server_->clock) {
  set_socket_options(wire_.socket());
  describe_socket(wire_.socket(), peer_);
  deadline_.set_after(server_->options.header_timeout);
}

Task<void> Connection::serve() {
  const auto self = shared_from_this();
  co_await asio::this_coro::throw_if_cancelled(false);
  if (uses_tls_) {
    auto shaking = handshake();
    if (!co_await std::move(shaking)) co_return close();
  }
  auto looking = speaks_http2();
  if (co_await std::move(looking)) {
    http2_ = std::make_unique<Http2Session>(*server_, wire_, peer_, deadline_);
    auto serving = http2_->serve();
    co_await std::move(serving);
    co_return close();
  }
  auto serving = serve_http1();
  co_await std::move(serving);
  auto leaving = say_goodbye();
  co_await std::move(leaving);
  close();
}

// Over TLS it is agreed upon; without, a client that knows begins with the preface.
Task<bool> Connection::speaks_http2() {
  if (wire_.is_tls()) co_return wire_.tls().protocol() == "h2";
  const auto could_be = [&] {
    const std::string_view begun = wire_.ahead().data();
    return begun.size() < Http2Session::kPreface.size() && Http2Session::kPreface.starts_with(begun);
  };
  while (could_be()) {
    auto filling = wire_.fill();
    if (!co_await std::move(filling)) co_return false;
  }
  co_return wire_.ahead().data().starts_with(Http2Session::kPreface);
}

Task<void> Connection::serve_http1() {
  while (keep_alive_ && !closed_ && !server_->stopping) {
    Incoming incoming;
    auto reading = read_request(incoming);
    if (!co_await std::move(reading)) break;
    phase_ = Phase::Working;
    if (incoming.refusal != 0) {
      auto refusing = refuse(incoming);
      co_await std::move(refusing);
      break;
    }
    deadline_.set_never();
    const bool is_head = incoming.parser.method == "HEAD";
    const bool http_1_1 = incoming.parser.version >= 11;
    keep_alive_ = incoming.parser.keep_alive();
    bool cancelled = false;
    auto answering = server_->call(incoming.take(peer_), cancelled);
    Response response = co_await std::move(answering);
    if (cancelled) close();
    if (closed_) break;
    if (response.upgrade) {
      auto upgrading = run_upgrade(std::move(response));
      co_await std::move(upgrading);
      break;
    }
    auto responding = respond(std::move(response), is_head, http_1_1);
    if (!co_await std::move(responding)) break;
    writer_.rest();
    phase_ = Phase::Waiting;
  }
}

Task<bool> Connection::handshake() {
  wire_.start_tls(*server_->tls, TlsSession::Side::Server);
  auto shaking = wire_.handshake();
  const ErrorCode error = co_await std::move(shaking);
  if (error) {
    kLog.debug("TLS handshake failed", {{"peer", peer_.address}, {"error", error.message()}});
    co_return false;
  }
  describe_peer(wire_.tls().handle(), peer_);
  co_return true;
}

// True with a request or a refusal; false when there is nothing to answer.
Task<bool> Connection::read_request(Incoming& incoming) {
  auto& parser = incoming.parser;
  const ServerOptions& options = server_->options;
  parser.header_limit(static_cast<std::uint32_t>(options.max_header_bytes));
  parser.body_limit(options.max_body_bytes);
  deadline_.set_after(options.idle_timeout);
  ErrorCode error;
  bool head_seen = false;
  SteadyTime body_began{};
  for (;;) {
    if (!wire_.ahead().empty()) {
      if (!head_seen) deadline_.set_after(options.header_timeout);
      head_seen = true;
      if (!parser.feed(wire_.ahead(), error)) {
        incoming.refuse(error, options.max_body_bytes);
        co_return true;
      }
      if (parser.is_done()) co_return true;
    }
    if (parser.is_header_done()) {
      // A gap may take so long, all gaps together four times that.
      const SteadyTime now = deadline_.now();
      if (body_began == SteadyTime{}) body_began = now;
      deadline_.set_after(
          std::min<Duration>(options.header_timeout, body_began + 4 * options.header_timeout - now));
      if (parser.expects_continue && parser.body.empty()) {
        parser.expects_continue = false;
        auto writing = wire_.write_all("HTTP/1.1 100 Continue\r\n\r\n");
        co_await std::move(writing);
      }
    }
    auto filling = wire_.fill();
    if (!co_await std::move(filling)) co_return false;
  }
}

// False: the connection cannot go on.
Task<bool> Connection::respond(Response response, bool is_head, bool http_1_1) {
  deadline_.set_after(server_->options.write_timeout);
  if (response.stream && !is_head) {
    promised_ = response.stream_size;
    const bool chunked = http_1_1 && !promised_;
    if (!chunked && !promised_) keep_alive_ = false;
    std::string framing = chunked ? "Transfer-Encoding: chunked\r\n" : "";
    if (promised_) framing = "Content-Length: " + std::to_string(*promised_) + "\r\n";
    write_head(response, framing);
    auto flushing = writer_.flush();
    if (!co_await std::move(flushing)) co_return false;
    auto streaming = stream_body(std::move(response.stream), chunked);
    co_return co_await std::move(streaming);
  }
  std::string framing;
  if (!has_no_body(response.status) && !response.stream) {
    std::size_t size = 0;
    for (const Chunk& chunk : response.body) size += chunk.bytes.size();
    framing = "Content-Length: " + std::to_string(size) + "\r\n";
  }
  write_head(response, framing);
  if (is_head || has_no_body(response.status)) {
    auto flushing = writer_.flush();
    co_return co_await std::move(flushing);
  }
  if (response.body.size() == 1 && response.body.front().bytes.size() < BlockWriter::kLarge) {
    writer_.block().append(response.body.front().bytes);
    auto flushing = writer_.flush();
    co_return co_await std::move(flushing);
  }
  auto writing = write_body(std::move(response.body));
  co_return co_await std::move(writing);
}

Task<bool> Connection::write_body(std::vector<Chunk> body) {
  for (const Chunk& chunk : body) {
    if (chunk.bytes.size() < BlockWriter::kLarge && writer_.block().size() < BlockWriter::kBlock) {
      writer_.block().append(chunk.bytes);
      continue;
    }
    std::string_view rest = chunk.bytes;
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, 4 * BlockWriter::kBlock);
      rest.remove_prefix(part.size());
      deadline_.set_after(server_->options.write_timeout);
      auto writing = writer_.append(part);
      if (!co_await std::move(writing)) co_return false;
    }
  }
  deadline_.set_after(server_->options.write_timeout);
  auto flushing = writer_.flush();
  co_return co_await std::move(flushing);
}

// The pump writes in a fiber of its own while this one reads: the end of the peer cancels the pump, and bytes
// that arrive are the next request, which waits until the pump is done.
Task<bool> Connection::stream_body(std::unique_ptr<BodyStream> stream, bool chunked) {
  FiberScope scope(strand_, "http stream");
  stream_ended_ = false;
  between_frames_ = true;
  phase_ = Phase::Streaming;
  stream_scope_ = &scope;
  if (server_->stopping) scope.cancel();
  scope.spawn(pump(std::move(stream), chunked));
  bool peer_is_there = true;
  while (peer_is_there && !stream_ended_ && wire_.ahead().size() < kMaxAheadWhileStreaming) {
    auto filling = wire_.fill();
    const bool filled = co_await std::move(filling);
    // The pump ends this read when the next request is already here.
    peer_is_there = filled || (stream_ended_ && !wire_.ahead().empty() && !closed_);
  }
  if (!peer_is_there && !stream_ended_) scope.cancel();
  auto joining = scope.join();
  co_await std::move(joining);
  stream_scope_ = nullptr;
  if (server_->stopping && !stream_ended_ && between_frames_ && !closed_) {
    // Cut off by us: the peer is told that this is the end.
    keep_alive_ = false;
    if (chunked) writer_.block().append("0\r\n\r\n");
    auto flushing = writer_.flush();
    co_await std::move(flushing);
    co_return false;
  }
  co_return peer_is_there&& stream_ended_&& keep_alive_;
}

Task<void> Connection::pump(std::unique_ptr<BodyStream> stream, bool chunked) {
  const auto self = shared_from_this();
  deadline_.set_never();
  for (;;) {
    std::vector<Chunk> chunks;
    try {
      auto taking = stream->next();
      chunks = co_await std::move(taking);
    } catch (const std::exception& failure) {
      if (stream_scope_ == nullptr || stream_scope_->cancelled()) throw;
      kLog.error("streamed answer failed", {{"error", failure.what()}});
      co_return close();
    }
    if (chunks.empty()) break;
    between_frames_ = false;
    auto writing = write_frame(std::move(chunks), chunked);
    if (!co_await std::move(writing)) co_return close();
    between_frames_ = true;
    deadline_.set_never();
  }
  if (chunked) {
    deadline_.set_after(server_->options.write_timeout);
    writer_.block().append("0\r\n\r\n");
    auto flushing = writer_.flush();
    if (!co_await std::move(flushing)) co_return close();
  }
  if (promised_.value_or(0) != 0) {
    kLog.error("a streamed answer is shorter than it was said to be", {{"missing", *promised_}});
    co_return close();
  }
  stream.reset();
  stream_ended_ = true;
  phase_ = Phase::Waiting;
  deadline_.set_after(server_->options.idle_timeout);
  // The reading fiber would wait for a next request that is here already or must not come.
  ErrorCode ignored;
  if (!keep_alive_ || server_->stopping || !wire_.ahead().empty()) wire_.socket().cancel(ignored);
}

Task<bool> Connection::write_frame(std::vector<Chunk> chunks, bool chunked) {
  std::size_t size = 0;
  for (const Chunk& chunk : chunks) size += chunk.bytes.size();
  if (size == 0) co_return true;  // an empty frame would be the last one
  if (promised_ && size > *promised_) {
    kLog.error("a streamed answer is longer than it was said to be", {{"more", size - *promised_}});
    co_return false;
  }
  if (promised_) *promised_ -= size;
  if (chunked) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
    writer_.block().append(digits, end).append("\r\n");
  }
  const Chunk line_end = Chunk::of_static("\r\n");
  if (chunked) chunks.push_back(line_end);
  auto writing = write_body(std::move(chunks));
  co_return co_await std::move(writing);
}

// An orderly no: answers, then reads what the client is still sending so that no reset eats the answer.
Task<bool> Connection::refuse(Incoming& incoming) {
  keep_alive_ = false;
  auto responding = respond(server_->refusal(incoming.refusal, incoming.refusal_text), false, true);
  if (!co_await std::move(responding)) co_return false;
  ErrorCode ignored;
  if (!wire_.is_tls()) wire_.socket().shutdown(Socket::shutdown_send, ignored);
  deadline_.set_after(kGoodbyeTime);
  std::size_t drained = 0;
  while (drained < kMaxDrain) {
    drained += wire_.ahead().size();
    wire_.ahead().consume(wire_.ahead().size());
    auto filling = wire_.fill();
    if (!co_await std::move(filling)) break;
  }
  co_return true;
}

Task<void> Connection::say_goodbye() {
  if (closed_) co_return;
  deadline_.set_after(kGoodbyeTime);
  auto shutting = wire_.shut_down();
  co_await std::move(shutting);
}

void Connection::write_head(const Response& response, std::string_view framing) {
  std::string& out = writer_.block();
  if (out.capacity() < 1024) out.reserve(1024);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason_phrase(response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers.fields()) append_field(out, name, value);
  out.append(framing);
  if (response.status != 101 && (!keep_alive_ || server_->stopping)) {
    keep_alive_ = false;
    out.append("Connection: close\r\n");
  }
  out.append("\r\n");
}

// Bytes both ways. Lives as long as anybody holds it; the connection closes when the upgrade's task ends.
class Connection::UpgradedDuplex final : public Duplex {
 public:
  explicit UpgradedDuplex(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Task<Result<std::string>> read() override {
    auto taking = connection_->wire_.take();
    co_return co_await std::move(taking);
  }

  Task<Status> write(std::string bytes) override {
    connection_->deadline_.set_after(connection_->server_->options.write_timeout);
    auto writing = connection_->wire_.write_all(bytes);
    const auto [error, count] = co_await std::move(writing);
    connection_->deadline_.set_never();
    if (error) co_return Error(Code::Unavailable, "write to upgraded connection: " + error.message());
    co_return Status();
  }
  void close() override { connection_->close(); }

 private:
  std::shared_ptr<Connection> connection_;
};

Task<void> Connection::run_upgrade(Response response) {
  deadline_.set_after(server_->options.write_timeout);
  write_head(response, {});
  auto flushing = writer_.flush();
  if (!co_await std::move(flushing)) co_return;
  deadline_.set_never();
  keep_alive_ = false;
  phase_ = Phase::Upgraded;
  if (server_->stopping) co_return;
  auto running = response.upgrade(std::make_shared<UpgradedDuplex>(shared_from_this()));
  try {
    co_await asio::this_coro::throw_if_cancelled(true);
    co_await std::move(running);
  } catch (const std::exception& failure) {
    kLog.debug("upgraded connection ended", {{"error", failure.what()}});
  }
  co_await asio::this_coro::throw_if_cancelled(false);
}

void Connection::begin_stop() {
  asio::post(strand_, [self = shared_from_this()] {
    if (self->http2_) return self->http2_->begin_stop();
    if (self->phase_ == Phase::Waiting || self->phase_ == Phase::Upgraded) self->close();
    if (self->stream_scope_ == nullptr) return;
    self->stream_scope_->cancel();
    ErrorCode ignored;
    self->wire_.socket().cancel(ignored);  // ends the read beside the stream
  });
}

void Connection::force_close() {
  asio::post(strand_, [self = shared_from_this()] { self->close(); });
}

void Connection::check_deadline(SteadyTime now) {
  if (!deadline_.passed(now)) return;
  asio::post(strand_, [self = shared_from_this(), now] {
    if (!self->deadline_.passed(now)) return;
    if (self->http2_ && self->http2_->check_deadline(now)) return;
    self->close();
  });
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  wire_.close();
  if (http2_) http2_->abandon();
}

}  // namespace flotilla::http
