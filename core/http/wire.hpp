// SPDX-License-Identifier: Apache-2.0
// One TCP or Unix connection, with or without TLS, and the bytes read ahead of it. Internal to core/http.
// Thread: one user at a time (the fiber that owns it), reads and writes may overlap on one strand.
//
// The socket is tried first and waited for only where it would block: most answers leave without a hop
// through the reactor, and an idle connection holds no buffers.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/async/task.hpp"
#include "core/http/http.hpp"
#include "core/http/tls_session.hpp"

namespace flotilla::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;
inline constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

// Read-ahead: grows to what one head needs, starts small because idle connections are many.
class ReadBuffer {
 public:
  std::string_view data() const { return {bytes_.data() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void append(std::string_view bytes) {
    if (bytes_.size() - end_ < bytes.size()) make_room(bytes.size());
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(end_));
    end_ += bytes.size();
  }
  // An idle connection keeps nothing.
  void release_if_empty() {
    if (empty() && bytes_.capacity() > 0) bytes_ = {};
  }

 private:
  static constexpr std::size_t kSmallest = 4096;
  static constexpr std::size_t kLargest = 64u << 10;

  void make_room(std::size_t wanted) {
    if (begin_ > 0) {
      std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_),
                bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes_.begin());
      end_ -= begin_;
      begin_ = 0;
    }
    if (bytes_.size() - end_ >= wanted) return;
    const std::size_t grown = bytes_.size() < kLargest ? 2 * bytes_.size() : bytes_.size() + kLargest;
    bytes_.resize(std::max({grown, end_ + wanted, kSmallest}));
  }

  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class Wire {
 public:
  using WriteResult = std::tuple<ErrorCode, std::size_t>;

  explicit Wire(Socket socket) : socket_(std::move(socket)) {}

  void start_tls(asio::ssl::context& context, TlsSession::Side side) {
    tls_ = std::make_unique<TlsSession>(*context.native_handle(), socket_.native_handle(), side);
  }
  // What follows goes through the session there is, to whom it leads: TLS within TLS.
  void start_tls_within(asio::ssl::context& context) {
    carrier_ = std::move(tls_);
    tls_ = std::make_unique<TlsSession>(*context.native_handle(), socket_.native_handle(),
                                        TlsSession::Side::Client, carrier_.get());
  }
  bool is_tls() const { return tls_ != nullptr; }
  TlsSession& tls() { return *tls_; }
  Socket& socket() { return socket_; }
  ReadBuffer& ahead() { return ahead_; }

  Task<ErrorCode> handshake();
  // `before` goes first, in the same flight.
  Task<WriteResult> write_all(std::string_view bytes, std::string_view before = {});
  // Reads into ahead(). False at the end or on an error, which failure() tells.
  Task<bool> fill();
  const ErrorCode& failure() const { return failure_; }
  // What there is, waiting for at least a byte; empty at the end.
  Task<std::string> take();
  // Tells the peer that nothing more comes. Bounded by whoever closes the socket.
  Task<void> shut_down();
  void close();
  // What is waiting on an idle connection can only be the peer's good-bye.
  bool gone_while_idle();
  // Bytes that the socket took so far: whether a slow peer makes progress.
  std::uint64_t sent() const { return sent_; }

 private:
  bool try_read(asio::mutable_buffer into, std::size_t& count, ErrorCode& error);
  bool try_fill(std::size_t& count, ErrorCode& error);  // into ahead()
  Task<ErrorCode> send_all(std::string_view bytes);
  Task<ErrorCode> send_outgoing();
  bool has_outgoing() const {
    return !tls_->outgoing().empty() || (carrier_ && !carrier_->outgoing().empty());
  }
  // What is to be sent on the socket. Empties it.
  std::string take_outgoing(ErrorCode& error);
  Task<void> give_way();

  Socket socket_;
  std::unique_ptr<TlsSession> carrier_;  // to a proxy, around tls_
  std::unique_ptr<TlsSession> tls_;
  ReadBuffer ahead_;
  ErrorCode failure_;
  std::uint64_t sent_ = 0;
  bool sending_ = false;
  bool broken_ = false;  // half a record was sent
  int unbroken_ = 0;     // reads that did not wait, one after another
};

// Gathers small pieces into blocks of one TLS record and more, sends large ones from where they are.
class BlockWriter {
 public:
  explicit BlockWriter(Wire& wire) : wire_(wire) {}
  // To be filled directly with heads and frames.
  std::string& block() { return block_; }
  Task<bool> append(std::string_view bytes);
  Task<bool> flush();
  // Gives back what a large answer took.
  void rest() {
    if (block_.empty() && block_.capacity() > kSmall) std::string().swap(block_);
  }
  static constexpr std::size_t kBlock = 64u << 10;
  static constexpr std::size_t kLarge = 16u << 10;

 private:
  static constexpr std::size_t kSmall = 4096;
  Wire& wire_;
  std::string block_;
};

// The server's side; client certificates are asked for when `client_ca_pem` is not empty. Errors: Invalid
// naming the PEM that is wrong.
Result<std::shared_ptr<asio::ssl::context>> make_server_context(const TlsIdentity& identity,
                                                                const std::string& client_ca_pem);
Result<std::shared_ptr<asio::ssl::context>> make_client_context(const ClientOptions& options);
// Of an https proxy: trusted as the server is, or by the system; it is shown no certificate of ours.
Result<std::shared_ptr<asio::ssl::context>> make_proxy_context(const ClientOptions& options);
// Fills the certificate members of a peer after a handshake.
void describe_peer(SSL* session, Peer& peer);
// The OpenSSL error queue's newest text, or `otherwise`.
std::string openssl_error(std::string_view otherwise);

}  // namespace flotilla::http
