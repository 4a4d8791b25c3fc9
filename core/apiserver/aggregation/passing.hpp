// SPDX-License-Identifier: Apache-2.0
// Passing a request on to another API server and its answer back, as it comes: watches, logs, upgrades.
#pragma once

#include <memory>
#include <string>

#include "core/apiserver/call.hpp"
#include "core/http/http.hpp"

namespace flotilla::apiserver {

// The request as it came, but for what belongs to this connection alone and what says who asks.
http::ClientRequest forwarded_request(const Call& call, std::string target);
// `request` is one of `call`. A peer that cannot be reached is a 503.
Task<http::Response> pass_on(CallPtr call, std::shared_ptr<http::Client> client, http::ClientRequest request);

}  // namespace flotilla::apiserver
