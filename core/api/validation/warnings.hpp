// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/schema/registry.hpp"

namespace flotilla::api {

// What a client should hear of a valid object: deprecated labels and volumes, doubled names, finalizers
// without a path. `live` is null on create.
std::vector<std::string> object_warnings(const Resource& resource, const Json& object, const Json& live,
                                         std::string_view subresource);

}  // namespace flotilla::api
