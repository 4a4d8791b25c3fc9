// SPDX-License-Identifier: Apache-2.0
// A compiled expression. Internal to core/cel.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/cel/ast.hpp"
#include "core/cel/cel.hpp"

namespace flotilla::cel {

struct Tree {
  std::string expression;
  NodePtr root;
  std::vector<std::string> variables;
  std::vector<bool> used;
  std::uint64_t estimated_cost = 0;
};

Result<Value> evaluate_tree(const Tree& tree, std::span<const Binding> bindings, Budget& budget);
// The most that an evaluation can cost, by the bounds of the types.
std::uint64_t estimate_cost(const Node& root);

}  // namespace flotilla::cel
