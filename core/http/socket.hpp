// SPDX-License-Identifier: Apache-2.0
// What is asked of and known about an accepted socket, TCP or Unix. Internal to core/http.
#pragma once

#include "core/http/wire.hpp"

namespace flotilla::http {

// No delay; a peer that is gone without a word is noticed within a minute, not after hours.
void set_socket_options(Socket& socket);
// Address of a TCP peer, user of a Unix one.
void describe_socket(const Socket& socket, Peer& peer);

}  // namespace flotilla::http
