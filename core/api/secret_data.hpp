// SPDX-License-Identifier: Apache-2.0
// What a Secret holds. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

// One value of `data`, decoded; empty when there is none. Errors: Invalid, naming secret and key.
Result<std::string> secret_value(const Json& secret, std::string_view key);

}  // namespace flotilla::api
