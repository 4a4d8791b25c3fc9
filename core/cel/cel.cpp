// SPDX-License-Identifier: Apache-2.0
#include "core/cel/cel.hpp"

#include <algorithm>

#include "core/cel/checker.hpp"
#include "core/cel/parser.hpp"
#include "core/cel/tree.hpp"

namespace flotilla::cel {

Result<ProgramPtr> compile(std::string_view expression, const Environment& environment) {
  Faults faults;
  auto tree = std::make_unique<Tree>();
  tree->expression = expression;
  tree->root = parse_expression(tree->expression, faults);
  if (tree->root && faults.empty()) (void)check_expression(*tree->root, environment, tree->used, faults);
  if (!faults.empty() || !tree->root) return invalid(faults.text(tree->expression));
  for (const Variable& variable : environment.variables) tree->variables.push_back(variable.name);
  tree->estimated_cost = estimate_cost(*tree->root);
  return ProgramPtr(std::make_shared<const Program>(std::move(tree)));
}

Program::Program(std::unique_ptr<const Tree> tree) : tree_(std::move(tree)) {}
Program::~Program() = default;

const std::string& Program::expression() const {
  return tree_->expression;
}

const TypePtr& Program::type() const {
  return tree_->root->type;
}

bool Program::uses(std::string_view variable) const {
  for (std::size_t i = 0; i < tree_->variables.size(); ++i)
    if (tree_->variables[i] == variable) return tree_->used[i];
  return false;
}

std::uint64_t Program::estimated_cost() const {
  return tree_->estimated_cost;
}

Result<Value> Program::evaluate(std::span<const Binding> bindings, Budget& budget) const {
  return evaluate_tree(*tree_, bindings, budget);
}

}  // namespace flotilla::cel
