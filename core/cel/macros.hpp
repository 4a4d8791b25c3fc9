// SPDX-License-Identifier: Apache-2.0
// has, all, exists, exists_one, map, filter, optMap, optFlatMap. Internal to core/cel.
#pragma once

#include "core/cel/ast.hpp"
#include "core/cel/faults.hpp"

namespace flotilla::cel {

// The call itself when it is no macro; null with a fault when it is a malformed one.
NodePtr expand_macro(NodePtr call, Faults& faults);

}  // namespace flotilla::cel
