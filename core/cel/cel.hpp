// SPDX-License-Identifier: Apache-2.0
// The Common Expression Language as Kubernetes 1.32 has it: compile once, evaluate often.
//
//   Environment environment{{{"self", type_of_schema(schema, false)}, {"oldSelf", ...}}};
//   auto program = compile("self.replicas <= self.max", environment);   // errors carry text, line and caret
//   Budget budget;                                                      // one per request
//   const Binding bindings[] = {{"self", Value::view(document, *type)}};
//   auto verdict = (*program)->evaluate(bindings, budget);
//   if (verdict && !verdict->as_bool()) ...
//
// Libraries: the standard one, optionals, cross-type numeric comparison; Kubernetes' lists, regex, url,
// quantity, ip, cidr, format and authorization; strings (version 2) and sets.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/cel/type.hpp"
#include "core/cel/value.hpp"

namespace flotilla::cel {

// Kubernetes' limits, in its unit of cost: roughly one step.
inline constexpr std::uint64_t kExpressionCostLimit = 1'000'000;    // PerCallLimit
inline constexpr std::uint64_t kRequestCostLimit = 10'000'000;      // RuntimeCELCostBudget
inline constexpr std::uint64_t kEstimatedCostLimit = 10'000'000;    // of one rule, all its calls together
inline constexpr std::uint64_t kEstimatedTotalLimit = 100'000'000;  // of all rules of one definition

// Texts that callers compare or repeat.
inline constexpr std::string_view kCostLimitExceeded = "operation cancelled: actual cost limit exceeded";
inline constexpr std::string_view kOutOfBudget =
    "validation failed due to running out of cost budget, no further validation rules will be run";

// What evaluations may cost: each up to `per_expression`, all together up to `total`.
class Budget {
 public:
  explicit Budget(std::uint64_t total = kRequestCostLimit,
                  std::uint64_t per_expression = kExpressionCostLimit)
      : total_(total), per_expression_(per_expression) {}

  std::uint64_t spent() const { return spent_; }  // by all expressions so far
  bool exhausted() const { return spent_ > total_; }
  std::uint64_t per_expression() const { return per_expression_; }
  void charge(std::uint64_t cost) { spent_ += cost; }

 private:
  std::uint64_t total_;
  std::uint64_t per_expression_;
  std::uint64_t spent_ = 0;
};

// `name` may have dots: "authorizer.requestResource".
struct Variable {
  std::string name;
  TypePtr type;
};

struct Environment {
  std::vector<Variable> variables;
};

struct Binding {
  std::string_view name;
  Value value;
};

struct Tree;  // the checked expression

// Immutable; any number of threads may evaluate it at once.
class Program {
 public:
  // Only compile() can.
  explicit Program(std::unique_ptr<const Tree> tree);
  ~Program();

  const std::string& expression() const;
  // The type of what it yields. A rule wants Bool (or Dyn), a messageExpression String.
  const TypePtr& type() const;
  // Whether it names the variable: a rule that uses oldSelf is a transition rule.
  bool uses(std::string_view variable) const;
  // The most that one evaluation can cost, by the bounds of the types; saturates.
  std::uint64_t estimated_cost() const;

  // A variable without a binding is an error when it is reached. The result may be a view into what was
  // bound. Errors: Invalid as cel-go words it ("no such key: x", "division by zero"); Unsupported for "no
  // such overload..."; ResourceExhausted with kCostLimitExceeded or, when `budget` as a whole is used up,
  // kOutOfBudget.
  Result<Value> evaluate(std::span<const Binding> bindings, Budget& budget) const;

 private:
  std::unique_ptr<const Tree> tree_;
};
using ProgramPtr = std::shared_ptr<const Program>;

// Errors: Invalid; one entry per fault, each "ERROR: <input>:1:5: undefined field 'x'\n | self.x\n | ....^",
// joined by line breaks. Kubernetes puts "compilation failed: " in front.
Result<ProgramPtr> compile(std::string_view expression, const Environment& environment);

}  // namespace flotilla::cel
