// SPDX-License-Identifier: Apache-2.0
// One TCP connection, with or without TLS, and the bytes read ahead of it. Internal to core/http.
// Thread: one user at a time (the fiber that owns it), reads and writes may overlap on one strand.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/async/task.hpp"
#include "core/http/http.hpp"

namespace flotilla::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using TlsStream = asio::ssl::stream<tcp::socket&>;
using Socket = tcp::socket;
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
  asio::mutable_buffer prepare() {
    if (bytes_.size() - end_ < kMinimum) make_room();
    return {bytes_.data() + end_, bytes_.size() - end_};
  }
  void commit(std::size_t count) { end_ += count; }

 private:
  static constexpr std::size_t kMinimum = 2048;
  static constexpr std::size_t kLargest = 64u << 10;

  void make_room() {
    if (begin_ > 0) {
      std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_),
                bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes_.begin());
      end_ -= begin_;
      begin_ = 0;
    }
    if (bytes_.size() - end_ >= kMinimum) return;
    bytes_.resize(bytes_.size() < kLargest ? std::max<std::size_t>(2 * bytes_.size(), 2 * kMinimum)
                                           : bytes_.size() + kLargest);
  }

  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class Wire {
 public:
  using ReadResult = std::tuple<ErrorCode, std::size_t>;

  explicit Wire(Socket socket) : socket_(std::move(socket)) {}

  void start_tls(asio::ssl::context& context) { tls_ = std::make_unique<TlsStream>(socket_, context); }
  bool is_tls() const { return tls_ != nullptr; }
  TlsStream& tls() { return *tls_; }
  Socket& socket() { return socket_; }
  ReadBuffer& ahead() { return ahead_; }

  Task<std::tuple<ErrorCode>> handshake(asio::ssl::stream_base::handshake_type side) {
    return tls_->async_handshake(side, kAwaitTuple);
  }
  Task<ReadResult> read_some(asio::mutable_buffer into) {
    if (tls_) return tls_->async_read_some(into, kAwaitTuple);
    return socket_.async_read_some(into, kAwaitTuple);
  }
  Task<ReadResult> write_all(std::string_view bytes) {
    const asio::const_buffer buffer(bytes.data(), bytes.size());
    if (tls_) return asio::async_write(*tls_, buffer, kAwaitTuple);
    return asio::async_write(socket_, buffer, kAwaitTuple);
  }
  // Reads into ahead(). False at the end or on an error.
  Task<bool> fill();
  // Tells the peer that nothing more comes. Bounded by whoever closes the socket.
  Task<void> shut_down();
  void close();
  // What is waiting on an idle connection can only be the peer's good-bye.
  bool gone_while_idle();

 private:
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;
  ReadBuffer ahead_;
};

// Gathers small pieces into blocks of one TLS record and more, sends large ones from where they are.
class BlockWriter {
 public:
  explicit BlockWriter(Wire& wire) : wire_(wire) {}
  // To be filled directly with heads and frames.
  std::string& block() { return block_; }
  Task<bool> append(std::string_view bytes);
  Task<bool> flush();
  // Anything of many pieces keeps `alive` informed between blocks (deadlines).
  static constexpr std::size_t kBlock = 64u << 10;
  static constexpr std::size_t kLarge = 16u << 10;

 private:
  Wire& wire_;
  std::string block_;
};

// The server's side; client certificates are asked for when `client_ca_pem` is not empty. Errors: Invalid
// naming the PEM that is wrong.
Result<std::shared_ptr<asio::ssl::context>> make_server_context(const TlsIdentity& identity,
                                                                const std::string& client_ca_pem);
Result<std::shared_ptr<asio::ssl::context>> make_client_context(const ClientOptions& options);
// Fills the certificate members of a peer after a handshake.
void describe_peer(TlsStream& stream, Peer& peer);
// The OpenSSL error queue's newest text, or `otherwise`.
std::string openssl_error(std::string_view otherwise);

}  // namespace flotilla::http
