// SPDX-License-Identifier: Apache-2.0
// /openapi/v3 and its document per group version, made from the schemas when first asked for (k8s-api 1.4).
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// /openapi/v2: what extension API servers say is part of it, so they may have to be asked.
bool wants_openapi_v2(const Call& call);
Task<http::Response> serve_openapi_v2(ServerPtr server, CallPtr call);
// All else. Nothing when the path is not below /openapi.
std::optional<http::Response> serve_openapi(const ServerPtr& server, Call& call);

}  // namespace flotilla::apiserver
