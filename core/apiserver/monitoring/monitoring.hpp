// SPDX-License-Identifier: Apache-2.0
// What people and machines look at: /healthz, /livez, /readyz, /metrics, /debug.
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// `which`: healthz, livez or readyz; the path may go on with the name of one check.
http::Response serve_health(const Server& server, const Call& call, std::string_view which);
http::Response serve_metrics(const Server& server);
// Plain text for people: what the server is doing.
http::Response serve_debug(const Server& server, const Call& call);
// After the answer is known.
void count_request(Server& server, const Call& call, int status, Duration took);

}  // namespace flotilla::apiserver
