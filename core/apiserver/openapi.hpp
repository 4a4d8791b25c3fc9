// SPDX-License-Identifier: Apache-2.0
// /openapi/v3 and its document per group version, made from the schemas when first asked for (k8s-api 1.4).
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// Nothing when the path is not below /openapi.
std::optional<http::Response> serve_openapi(const ServerPtr& server, Call& call);

}  // namespace flotilla::apiserver
