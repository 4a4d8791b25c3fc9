// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// Answers the request as that of call->user, who is known by now; what that user may not do is refused. For
// handlers that have turned a call into another one, too.
Task<http::Response> route(ServerPtr server, CallPtr call);

}  // namespace flotilla::apiserver
