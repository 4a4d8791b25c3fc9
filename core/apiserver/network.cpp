// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/network.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <set>

namespace flotilla::apiserver {
namespace {

constexpr int kFirstPort = 30000;
constexpr int kPorts = 2768;

struct Network {
  std::uint32_t first = 0;
  std::uint32_t size = 0;
};

Network read_network(const std::string& text) {
  Network network;
  const auto slash = text.find('/');
  in_addr address{};
  int bits = 0;
  if (slash == std::string::npos || inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) != 1)
    return network;
  std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
  if (bits < 8 || bits > 30) return network;
  network.first = ntohl(address.s_addr);
  network.size = 1u << (32 - bits);
  return network;
}

std::string print_address(std::uint32_t value) {
  in_addr address{};
  address.s_addr = htonl(value);
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

template <typename Each>
void each_service(const Server& server, const Each& each) {
  for (const ObjectPtr& object : server.store.list(store::collection_of("", "services")).objects) {
    each((*object->content())["spec"]);
  }
}

}  // namespace

std::string allocate_service_address(Server& server) {
  const Network network = read_network(server.options.service_network);
  if (network.size < 4) return "";
  std::set<std::string, std::less<>> used;
  each_service(server, [&](const Json& spec) {
    for (const Json& address : spec["clusterIPs"].elements()) used.emplace(address.as_string());
  });
  for (std::uint32_t tries = 0; tries < network.size; ++tries) {
    const auto offset = static_cast<std::uint32_t>(server.next_address.fetch_add(1)) % (network.size - 2);
    std::string address = print_address(network.first + 1 + offset);
    if (!used.contains(address)) return address;
  }
  return "";
}

std::string refuse_address(const Server& server, const std::string& address) {
  const Network network = read_network(server.options.service_network);
  in_addr asked{};
  if (inet_pton(AF_INET, address.c_str(), &asked) != 1 || network.size == 0) return "";
  const std::uint32_t value = ntohl(asked.s_addr);
  if (value <= network.first || value >= network.first + network.size - 1) {
    return "the provided IP (" + address + ") is not in the valid range. The range of valid IPs is " +
           server.options.service_network;
  }
  bool used = false;
  each_service(server, [&](const Json& spec) {
    for (const Json& one : spec["clusterIPs"].elements()) used = used || one.as_string() == address;
  });
  return used ? "provided IP is already allocated" : "";
}

bool node_port_taken(const Server& server, int port) {
  bool used = false;
  each_service(server, [&](const Json& spec) {
    used = used || spec["healthCheckNodePort"].as_int() == port;
    for (const Json& one : spec["ports"].elements()) used = used || one["nodePort"].as_int() == port;
  });
  return used;
}

int allocate_node_port(Server& server) {
  std::set<std::int64_t> used;
  each_service(server, [&](const Json& spec) {
    for (const Json& port : spec["ports"].elements()) used.insert(port["nodePort"].as_int());
    used.insert(spec["healthCheckNodePort"].as_int());
  });
  for (int tries = 0; tries < kPorts; ++tries) {
    const int port = kFirstPort + static_cast<int>(server.next_port.fetch_add(1) % kPorts);
    if (!used.contains(port)) return port;
  }
  return 0;
}

}  // namespace flotilla::apiserver
