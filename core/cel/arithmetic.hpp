// SPDX-License-Identifier: Apache-2.0
// + - * / % of every type that has them, checked. Internal to core/cel.
#pragma once

#include "core/cel/ast.hpp"
#include "core/cel/value.hpp"

namespace flotilla::cel {

// Errors: Invalid ("integer overflow", "division by zero", ...); Unsupported when the types have no such
// operation.
Result<Value> add_values(const Value& a, const Value& b);
Result<Value> calculate(Op op, const Value& a, const Value& b);
Result<Value> negate_value(const Value& a);

}  // namespace flotilla::cel
