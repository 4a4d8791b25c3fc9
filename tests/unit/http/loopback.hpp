// SPDX-License-Identifier: Apache-2.0
// A server on a free port of 127.0.0.1 with a CA of its own, and ways to talk to it: our client and raw
// bytes.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "core/http/http.hpp"
#include "core/http/x509.hpp"
#include "tests/fakes/fibers.hpp"

namespace flotilla::http::test {

inline const KeyPair& authority() {
  static const KeyPair pair = *make_authority("test-ca", {SystemClock().now()});
  return pair;
}
inline const KeyPair& server_identity() {
  static const KeyPair pair =
      *sign_server(authority(), "server", {"localhost", "127.0.0.1"}, {SystemClock().now()});
  return pair;
}

// Blocking, with a bound of five seconds on every read.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval bound{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view text) {
    while (!text.empty()) {
      const auto count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  // Until `end` was seen, the peer closed, or time is up.
  std::string read_until(std::string_view end) {
    std::string all;
    char block[4096];
    while (all.find(end) == std::string::npos) {
      const auto count = ::recv(fd_, block, sizeof block, 0);
      if (count <= 0) break;
      all.append(block, static_cast<std::size_t>(count));
    }
    return all;
  }
  // What comes next; empty at the end.
  std::string read_some() {
    char block[16384];
    const auto count = ::recv(fd_, block, sizeof block, 0);
    return {block, count > 0 ? static_cast<std::size_t>(count) : 0};
  }
  std::string read_all() { return read_until(std::string_view("\0never", 6)); }
  // True: the peer closed (in order or not) within the bound.
  bool sees_close() {
    char byte = 0;
    for (;;) {
      const auto count = ::recv(fd_, &byte, 1, 0);
      if (count == 0) return true;
      if (count < 0) return errno == ECONNRESET;
    }
  }

 private:
  int fd_;
};

class Loopback : public ::testing::Test {
 protected:
  void serve(Handler handler, ServerOptions options = {}, bool tls = true) {
    if (tls) {
      options.identity = {server_identity().certificate_pem, server_identity().key_pem};
      options.client_ca_pem = authority().certificate_pem;
    }
    tls_ = tls;
    server_ = std::make_unique<Server>(executor_, std::move(options), std::move(handler));
    const Status started = server_->start();
    ASSERT_TRUE(started.ok()) << started.error().message();
  }
  ClientOptions client_options() const {
    ClientOptions options;
    options.base_url =
        std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(server_->port());
    options.ca_pem = authority().certificate_pem;
    return options;
  }
  template <typename T>
  T run(Task<T> task) {
    return fakes::run_on(executor_, std::move(task));
  }
  Result<ClientResponse> send(Client& client, ClientRequest request) {
    return run(client.send(std::move(request)));
  }
  Result<ClientResponse> get(Client& client, std::string target) {
    ClientRequest request;
    request.target = std::move(target);
    return send(client, std::move(request));
  }

  SystemClock clock_;
  Executor executor_{clock_};
  std::unique_ptr<Server> server_;
  bool tls_ = true;
};

}  // namespace flotilla::http::test
