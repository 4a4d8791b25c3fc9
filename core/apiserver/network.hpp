// SPDX-License-Identifier: Apache-2.0
// Addresses and node ports of Services: what no other Service has.
#pragma once

#include <string>

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// Empty when the network is full or badly written.
std::string allocate_service_address(Server& server);
// 0 when none is free.
int allocate_node_port(Server& server);
// Why a client may not have this address; empty when it may.
std::string refuse_address(const Server& server, const std::string& address);
bool node_port_taken(const Server& server, int port);

}  // namespace flotilla::apiserver
