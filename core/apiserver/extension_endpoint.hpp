// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// /flotilla/v1/...
bool is_extension_path(const Call& call);
Task<http::Response> serve_extension(ServerPtr server, CallPtr call);

}  // namespace flotilla::apiserver
