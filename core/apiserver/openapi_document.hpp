// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/api/schema/registry.hpp"

namespace flotilla::apiserver {

// The OpenAPI v3 document of one group version: paths with the operations that clients look up, and every
// type that they reach.
api::Json openapi_document(const api::Registry& registry, std::string_view group, std::string_view version,
                           std::string_view server_version);

}  // namespace flotilla::apiserver
