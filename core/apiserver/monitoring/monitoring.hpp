// SPDX-License-Identifier: Apache-2.0
// What people and machines look at: /healthz, /livez, /readyz, /metrics, /debug.
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// `which`: healthz, livez or readyz; the path may go on with the name of one check.
http::Response serve_health(const Server& server, const Call& call, std::string_view which);
// `component`: only what dashboards look for at that component of Karmada (karmada-scheduler,
// karmada-controller-manager, karmada-apiserver); empty: everything. Nothing: there is no such component.
std::optional<http::Response> serve_metrics(const Server& server, std::string_view component);
// Plain text for people: what the server is doing.
http::Response serve_debug(const Server& server, const Call& call);
// After the answer is known.
void count_request(Server& server, const Call& call, const http::Response& response, Duration took);

}  // namespace flotilla::apiserver
