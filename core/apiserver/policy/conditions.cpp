// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/policy/conditions.hpp"

#include "core/apiserver/policy/facts.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::uint64_t kConditionsBudget = 2'500'000;  // RuntimeCELCostBudgetMatchConditions

}  // namespace

std::shared_ptr<const MatchConditions> MatchConditions::read(const Json& list, bool params) {
  auto made = std::make_shared<MatchConditions>();
  FactChoice choice;
  choice.params = params;
  choice.space = params;  // policies know the namespace, webhooks do not
  const cel::Environment environment = facts_environment(choice);
  for (const Json& condition : list.elements()) {
    const std::string expression(condition["expression"].as_string());
    made->conditions_.push_back(
        {std::string(condition["name"].as_string()), expression, cel::compile(expression, environment)});
  }
  return made;
}

Result<bool> MatchConditions::hold(const AdmissionAttributes& attributes, const Resource& version,
                                   const store::Store& store, const Authorizer& authorizer) const {
  if (empty()) return true;
  const Facts facts(attributes, version, store, authorizer);
  const Json nothing;
  const auto bindings = facts.bindings(nothing);
  cel::Budget budget(kConditionsBudget);
  return hold(bindings, budget);
}

Result<bool> MatchConditions::hold(std::span<const cel::Binding> bindings, cel::Budget& budget) const {
  std::vector<std::string> errors;
  for (const Condition& condition : conditions_) {
    std::string why;
    if (!condition.program) {
      why = "compilation error: " + condition.program.error().message();
    } else if (const auto value = (*condition.program)->evaluate(bindings, budget); !value) {
      if (budget.exhausted()) return Error(Code::ResourceExhausted, std::string(cel::kOutOfBudget));
      why = value.error().message();
    } else if (!value->is(cel::Value::Kind::Bool)) {
      why = "must evaluate to bool";
    } else if (!value->as_bool()) {
      return false;
    }
    if (!why.empty()) errors.push_back("expression '" + condition.expression + "' resulted in error: " + why);
  }
  if (errors.empty()) return true;
  std::string text = errors[0];
  for (std::size_t i = 1; i < errors.size(); ++i) text += ", " + errors[i];
  return invalid(errors.size() == 1 ? text : "[" + text + "]");
}

}  // namespace flotilla::apiserver
