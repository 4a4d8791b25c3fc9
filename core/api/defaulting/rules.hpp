// SPDX-License-Identifier: Apache-2.0
// Defaults that depend on other fields, one function per type.
#pragma once

#include <unordered_map>

#include "core/api/json.hpp"
#include "core/api/schema/schema.hpp"

namespace flotilla::api::defaulting {

using Rule = void (*)(Json& object);

// By type; runs before the type's constants and before what lies below.
const std::unordered_map<const Schema*, Rule>& rules();

}  // namespace flotilla::api::defaulting
