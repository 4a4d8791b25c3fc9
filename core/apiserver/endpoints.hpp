// SPDX-License-Identifier: Apache-2.0
// Paths that are no resources: /version, health, metrics, keys of the token issuer, the list of paths.
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// Nothing when the path is none of these.
std::optional<http::Response> serve_endpoint(Server& server, Call& call);

}  // namespace flotilla::apiserver
