// SPDX-License-Identifier: Apache-2.0
// WebSocket (RFC 6455) as far as a server needs it that only speaks: the handshake, messages of text, pings
// and the close. For both directions use an upgrade of one's own.
#pragma once

#include "core/http/http.hpp"

namespace flotilla::http {

bool wants_websocket(const Request& request);
// 101: every part of `source` up to a line break becomes one message of text; with the subprotocol
// base64.binary.k8s.io, where the client offers it, in base64. 400 when the handshake is none.
Response websocket_response(const Request& request, std::unique_ptr<BodyStream> source);

}  // namespace flotilla::http
