// SPDX-License-Identifier: Apache-2.0
// The door in the wall: for core/api/json*.cpp alone (tests/lint/layers.py).
#pragma once

#include <nlohmann/json.hpp>

#include "core/api/json.hpp"

namespace flotilla::api {

nlohmann::json to_nlohmann(const Json& value);

}  // namespace flotilla::api
