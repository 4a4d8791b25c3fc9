// SPDX-License-Identifier: Apache-2.0
// Gives every node its type, every name its meaning and every call its candidates. Internal to core/cel.
#pragma once

#include <vector>

#include "core/cel/ast.hpp"
#include "core/cel/cel.hpp"
#include "core/cel/faults.hpp"

namespace flotilla::cel {

// The type of the whole; `used` gets one entry for each variable of the environment. Look at `faults` first.
TypePtr check_expression(Node& root, const Environment& environment, std::vector<bool>& used, Faults& faults);

}  // namespace flotilla::cel
