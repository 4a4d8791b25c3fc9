// SPDX-License-Identifier: Apache-2.0
#include "core/http/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace flotilla::http {

namespace {

sa_family_t family_of(const Socket& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto& handle = const_cast<Socket&>(socket);  // native_handle() is not const
  if (::getsockname(handle.native_handle(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  return address.ss_family;
}

}  // namespace

void set_socket_options(Socket& socket) {
  if (family_of(socket) == AF_UNIX) return;
  const auto set = [&](int level, int option, int value) {
    ::setsockopt(socket.native_handle(), level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void describe_socket(const Socket& socket, Peer& peer) {
  if (family_of(socket) == AF_UNIX) {
    ucred user{};
    socklen_t length = sizeof user;
    auto& handle = const_cast<Socket&>(socket);
    if (::getsockopt(handle.native_handle(), SOL_SOCKET, SO_PEERCRED, &user, &length) == 0) {
      peer.local_user = user.uid;
    }
    peer.address = "local";
    return;
  }
  ErrorCode error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return;
  tcp::endpoint address;
  if (endpoint.size() > address.capacity()) return;
  std::copy_n(reinterpret_cast<const char*>(endpoint.data()), endpoint.size(),
              reinterpret_cast<char*>(address.data()));
  address.resize(endpoint.size());
  peer.address = address.address().to_string();
  if (address.address().is_v6()) peer.address = "[" + peer.address + "]";
  peer.address += ":" + std::to_string(address.port());
}

}  // namespace flotilla::http
