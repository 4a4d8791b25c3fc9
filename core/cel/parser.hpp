// SPDX-License-Identifier: Apache-2.0
// Text to tree, macros expanded. Internal to core/cel.
#pragma once

#include <string_view>

#include "core/cel/ast.hpp"
#include "core/cel/faults.hpp"

namespace flotilla::cel {

// Null with at least one fault when it cannot be read.
NodePtr parse_expression(std::string_view expression, Faults& faults);

}  // namespace flotilla::cel
