// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/base/result.hpp"

namespace flotilla::interpreter {

// Whether a script is Lua 5.1. Nothing of it runs. Errors: Invalid with the compiler's complaint.
Status check_lua_syntax(std::string_view script);

}  // namespace flotilla::interpreter
