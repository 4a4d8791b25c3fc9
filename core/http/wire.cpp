// SPDX-License-Identifier: Apache-2.0
#include "core/http/wire.hpp"

#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cerrno>

namespace flotilla::http {

namespace {

constexpr std::size_t kScratch = 16u << 10;
constexpr std::size_t kFlight = 256u << 10;      // encrypted and handed to the socket at once
constexpr std::size_t kKeptCapacity = 4u << 10;  // of outgoing()
constexpr int kMostUnbroken = 32;

}  // namespace

bool Wire::try_read(asio::mutable_buffer into, std::size_t& count, ErrorCode& error) {
  if (tls_) return tls_->read(static_cast<char*>(into.data()), into.size(), count, error);
  ssize_t got = 0;
  do {
    got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    count = static_cast<std::size_t>(got);
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  error = got == 0 ? ErrorCode(asio::error::eof) : ErrorCode(errno, boost::system::system_category());
  return true;
}

// A peer that always has more to say must not keep a thread to itself.
Task<void> Wire::give_way() {
  unbroken_ = 0;
  auto later = asio::post(socket_.get_executor(), asio::use_awaitable);
  co_await std::move(later);
}

// Not in the coroutine: a buffer there would be held while it waits, and one of the thread's own would be
// another thread's after a wait (compilers keep its address over suspensions).
bool Wire::try_fill(std::size_t& count, ErrorCode& error) {
  char scratch[kScratch];
  const bool done = try_read(asio::mutable_buffer(scratch, kScratch), count, error);
  if (count > 0) ahead_.append({scratch, count});
  return done;
}

Task<bool> Wire::fill() {
  if (unbroken_ >= kMostUnbroken) {
    auto yielding = give_way();
    co_await std::move(yielding);
  }
  for (;;) {
    if (!socket_.is_open()) failure_ = asio::error::bad_descriptor;
    if (!socket_.is_open()) co_return false;
    std::size_t count = 0;
    const bool done = try_fill(count, failure_);
    if (tls_ && has_outgoing()) {
      auto sending = send_outgoing();
      co_await std::move(sending);
    }
    if (done) {
      ++unbroken_;
      co_return !failure_ && count > 0;
    }
    unbroken_ = 0;
    ahead_.release_if_empty();
    auto waiting = socket_.async_wait(Socket::wait_read, kAwaitTuple);
    std::tie(failure_) = co_await std::move(waiting);
    if (failure_) co_return false;
  }
}

Task<std::string> Wire::take() {
  if (ahead_.empty()) {
    auto filling = fill();
    if (!co_await std::move(filling)) co_return std::string();
  }
  std::string bytes(ahead_.data());
  ahead_.consume(bytes.size());
  co_return bytes;
}

Task<ErrorCode> Wire::handshake() {
  for (;;) {
    ErrorCode error;
    const bool done = tls_->handshake(error);
    auto sending = send_outgoing();  // an alert, too
    const ErrorCode unsent = co_await std::move(sending);
    if (done) co_return error ? error : unsent;
    if (unsent) co_return unsent;
    auto waiting = socket_.async_wait(Socket::wait_read, kAwaitTuple);
    const auto [failed] = co_await std::move(waiting);
    if (failed) co_return failed;
  }
}

Task<ErrorCode> Wire::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!socket_.is_open()) co_return ErrorCode(asio::error::bad_descriptor);
    const auto count =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      sent_ += static_cast<std::size_t>(count);
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return ErrorCode(errno, boost::system::system_category());
    auto waiting = socket_.async_wait(Socket::wait_write, kAwaitTuple);
    const auto [failed] = co_await std::move(waiting);
    if (failed) co_return failed;
  }
  co_return ErrorCode();
}

std::string Wire::take_outgoing(ErrorCode& error) {
  std::string bytes = std::exchange(tls_->outgoing(), {});
  if (!carrier_) return bytes;
  carrier_->write(bytes, error);
  return std::exchange(carrier_->outgoing(), {});
}

// One sender at a time: what gathers meanwhile is sent by whoever is at it.
Task<ErrorCode> Wire::send_outgoing() {
  if (sending_) co_return ErrorCode();
  // Also when the fiber is cancelled: half a record is the end of the connection.
  struct Turn {
    Wire& wire;
    bool whole = false;
    explicit Turn(Wire& the_wire) : wire(the_wire) { wire.sending_ = true; }
    ~Turn() {
      wire.sending_ = false;
      wire.broken_ = wire.broken_ || !whole;
    }
  } turn(*this);
  while (has_outgoing()) {
    ErrorCode unsealed;
    std::string flight = take_outgoing(unsealed);
    if (unsealed) co_return unsealed;
    auto sending = send_all(flight);
    if (const ErrorCode failed = co_await std::move(sending); failed) co_return failed;
    if (tls_->outgoing().empty() && flight.capacity() <= kKeptCapacity) {
      flight.clear();
      tls_->outgoing() = std::move(flight);
    }
  }
  turn.whole = true;
  co_return ErrorCode();
}

Task<Wire::WriteResult> Wire::write_all(std::string_view bytes, std::string_view before) {
  const std::size_t all = before.size() + bytes.size();
  if (!tls_) {
    auto sending_head = send_all(before);
    if (const ErrorCode failed = co_await std::move(sending_head); failed) co_return WriteResult(failed, 0);
    auto sending = send_all(bytes);
    co_return WriteResult(co_await std::move(sending), all);
  }
  ErrorCode error;
  tls_->write(before, error);
  if (error) co_return WriteResult(error, 0);
  do {
    const std::string_view flight = bytes.substr(0, kFlight);
    bytes.remove_prefix(flight.size());
    tls_->write(flight, error);
    if (error) co_return WriteResult(error, 0);
    while (sending_) {  // the reading fiber, of what TLS itself has to say
      auto waiting = socket_.async_wait(Socket::wait_write, kAwaitTuple);
      const auto [failed] = co_await std::move(waiting);
      if (failed) co_return WriteResult(failed, 0);
    }
    auto sending = send_outgoing();
    if (error = co_await std::move(sending); error) co_return WriteResult(error, 0);
  } while (!bytes.empty());
  co_return WriteResult(ErrorCode(), all);
}

Task<void> Wire::shut_down() {
  ErrorCode ignored;
  if (broken_) co_return;
  if (tls_) {
    tls_->shut_down();
    auto saying = send_outgoing();
    co_await std::move(saying);
  }
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Wire::close() {
  ErrorCode ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
}

bool Wire::gone_while_idle() {
  if (!socket_.is_open() || !ahead_.empty()) return true;
  char byte = 0;
  const auto count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

Task<bool> BlockWriter::append(std::string_view bytes) {
  if (bytes.size() < kLarge) {
    block_.append(bytes);
    if (block_.size() < kBlock) co_return true;
    auto flushing = flush();
    co_return co_await std::move(flushing);
  }
  auto writing = wire_.write_all(bytes, block_);
  const auto [error, count] = co_await std::move(writing);
  block_.clear();
  co_return !error;
}

Task<bool> BlockWriter::flush() {
  if (block_.empty()) co_return true;
  auto writing = wire_.write_all(block_);
  const auto [error, count] = co_await std::move(writing);
  block_.clear();
  co_return !error;
}

}  // namespace flotilla::http
