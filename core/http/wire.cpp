// SPDX-License-Identifier: Apache-2.0
#include "core/http/wire.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace flotilla::http {

Task<bool> Wire::fill() {
  auto reading = read_some(ahead_.prepare());
  const auto [error, count] = co_await std::move(reading);
  ahead_.commit(count);
  co_return !error && count > 0;
}

Task<void> Wire::shut_down() {
  ErrorCode ignored;
  if (tls_) {
    // async_shutdown waits for the peer's close_notify; a read that is already at its end makes it say ours
    // and return.
    socket_.shutdown(Socket::shutdown_receive, ignored);
    auto goodbye = tls_->async_shutdown(kAwaitTuple);
    co_await std::move(goodbye);
  } else {
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
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
  auto flushing = flush();
  if (!co_await std::move(flushing)) co_return false;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, 4 * kBlock);
    bytes.remove_prefix(part.size());
    auto writing = wire_.write_all(part);
    const auto [error, count] = co_await std::move(writing);
    if (error) co_return false;
  }
  co_return true;
}

Task<bool> BlockWriter::flush() {
  if (block_.empty()) co_return true;
  auto writing = wire_.write_all(block_);
  const auto [error, count] = co_await std::move(writing);
  block_.clear();
  co_return !error;
}

}  // namespace flotilla::http
