// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/match_conditions.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::uint64_t kConditionsBudget = cel::kRequestCostLimit / 4;

// Empty: it is true or false. What an expression says that is not of this type is a fault.
std::string fault_of(const Result<cel::Value>& value) {
  if (!value) return value.error().message();
  return value->is(cel::Value::Kind::Bool) ? "" : "cel expression evaluates to something other than a bool";
}

}  // namespace

MatchConditions MatchConditions::read(const Json& conditions, const FactChoice& facts) {
  MatchConditions out;
  if (conditions.empty()) return out;
  const cel::Environment environment = facts_environment(facts);
  for (const Json& entry : conditions.elements()) {
    const std::string expression(entry["expression"].as_string());
    out.conditions_.push_back({expression, cel::compile(expression, environment)});
  }
  return out;
}

Result<bool> MatchConditions::hold(const AdmissionAttributes& attributes,
                                   const Authorizer& authorizer) const {
  if (empty()) return true;
  const Facts facts(attributes, *attributes.resource, nullptr, authorizer);
  const Json nothing;
  return hold(facts.bindings(nothing));
}

Result<bool> MatchConditions::hold(std::span<const cel::Binding> bindings) const {
  cel::Budget budget(kConditionsBudget);
  std::string faults;
  std::size_t count = 0;
  for (const Condition& condition : conditions_) {
    std::string fault;
    if (!condition.program) {
      fault = "compilation failed: " + condition.program.error().message();
    } else {
      const auto value = (*condition.program)->evaluate(bindings, budget);
      fault = fault_of(value);
      if (fault.empty() && !value->as_bool()) return false;
    }
    if (fault.empty()) continue;
    faults += (count++ == 0 ? "" : ", ") + std::string("expression '") + condition.expression +
              "' resulted in error: " + fault;
    if (budget.exhausted()) break;
  }
  if (count == 0) return true;
  return Error(Code::Invalid, count == 1 ? faults : "[" + faults + "]");
}

}  // namespace flotilla::apiserver
