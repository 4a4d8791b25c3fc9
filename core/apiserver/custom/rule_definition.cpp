// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/custom/rule_definition.hpp"

#include <cstdio>

namespace flotilla::apiserver {
namespace {

using api::FieldView;
using api::Json;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

cel::Environment environment_of(const cel::TypePtr& self, bool optional_old) {
  cel::Environment environment;
  environment.variables.push_back({"self", self});
  environment.variables.push_back({"oldSelf", optional_old ? cel::Type::optional(self) : self});
  return environment;
}

std::string over_budget(std::string_view what, double cost, double limit) {
  const double factor = cost / limit;
  char text[32];
  if (factor > 100) {
    snprintf(text, sizeof text, "more than 100x");
  } else if (factor < 1.5) {
    snprintf(text, sizeof text, "%fx", factor);
  } else {
    snprintf(text, sizeof text, "%.1fx", factor);
  }
  return std::string(what) + " exceeds budget by factor of " + text +
         " (try simplifying the rule, or adding maxItems, maxProperties, and "
         "maxLength where arrays, maps, and "
         "strings are declared)";
}

// Go's dump of the rule; what matters to people is what follows it.
std::string printed_rule(const Json& rule) {
  return "apiextensions.ValidationRule{Rule:" + api::go_quote(rule["rule"].as_string()) +
         ", Message:" + api::go_quote(rule["message"].as_string()) +
         ", MessageExpression:" + api::go_quote(rule["messageExpression"].as_string()) + "}";
}

class DefinitionCheck {
 public:
  // `times`: how often the node can be there at most. `uncorrelatable`: the
  // list whose elements cannot be found again; empty outside of one.
  void node(const FieldView& schema, bool root, double times, const std::string& uncorrelatable) {
    check_rules(schema, root, times, uncorrelatable);
    const FieldView properties = schema["properties"];
    for (const auto& [name, value] : properties.value().members()) {
      node(FieldView(value, api::at_key(properties.path(), name), schema.errors()), false, times,
           uncorrelatable);
    }
    if (schema["additionalProperties"].value().is_object())
      node(schema["additionalProperties"], false, times * bound(schema), uncorrelatable);
    if (!schema["items"].value().is_object()) return;
    const bool map = schema["x-kubernetes-list-type"].text() == "map";
    const std::string lost = !uncorrelatable.empty() ? uncorrelatable : map ? "" : schema["items"].path();
    node(schema["items"], false, times * bound(schema), lost);
  }

  double total() const { return total_; }

 private:
  static double bound(const FieldView& schema) {
    const cel::TypePtr type = cel::type_of_schema(schema.value(), false);
    const std::uint64_t most = type ? type->max_elements() : cel::Type::kUnbounded;
    // What fits into a request, two bytes for each element.
    constexpr double kMost = 3.0 * 1024 * 1024 / 2;
    return most == cel::Type::kUnbounded ? kMost : static_cast<double>(most);
  }

  void check_rules(const FieldView& schema, bool root, double times, const std::string& uncorrelatable) {
    const FieldView rules = schema["x-kubernetes-validations"];
    if (rules.value().empty()) return;
    const cel::TypePtr self = cel::type_of_schema(schema.value(), root);
    for (const FieldView& rule : rules.each()) check_rule(rule, self, times, uncorrelatable);
  }

  void check_rule(const FieldView& rule, const cel::TypePtr& self, double times,
                  const std::string& uncorrelatable) {
    const FieldView text = rule["rule"], message = rule["messageExpression"];
    const bool optional_old = rule["optionalOldSelf"].value().as_bool();
    const cel::Environment environment = environment_of(self ? self : cel::Type::dyn(), optional_old);
    const auto program = cel::compile(text.text(), environment);
    if (!program) return bad(text, rule, "compilation failed: " + std::string(program.error().message()));
    const cel::TypePtr& type = (*program)->type();
    if (!type->is(cel::TypeKind::Bool) && !type->is(cel::TypeKind::Dyn))
      return bad(text, rule, "compilation failed: must evaluate to bool");
    charge(text, "estimated rule cost", static_cast<double>((*program)->estimated_cost()) * times);
    const bool looks_back = (*program)->uses("oldSelf");
    if (looks_back && !uncorrelatable.empty()) {
      text.invalid(
          "oldSelf cannot be used on the uncorrelatable portion of "
          "the schema within " +
          uncorrelatable);
    }
    if (!looks_back && !rule["optionalOldSelf"].value().is_null())
      rule["optionalOldSelf"].invalid("may not be set if oldSelf is not used in rule");
    if (!message.given()) return;
    const auto words = cel::compile(message.text(), environment);
    if (!words) {
      return bad(message, rule,
                 "messageExpression compilation failed: " + std::string(words.error().message()));
    }
    if (!(*words)->type()->is(cel::TypeKind::String))
      return bad(message, rule, "messageExpression must evaluate to string");
    charge(message, "estimated messageExpression cost",
           static_cast<double>((*words)->estimated_cost()) * times);
  }

  static void bad(const FieldView& field, const FieldView& rule, const std::string& detail) {
    field.errors().add_literal("FieldValueInvalid", field.path(),
                               "Invalid value: " + printed_rule(rule.value()) + ": " + detail);
  }

  void charge(const FieldView& field, std::string_view what, double cost) {
    total_ += cost;
    constexpr auto kMost = static_cast<double>(cel::kEstimatedCostLimit);
    if (cost > kMost) field.forbid(over_budget(what, cost, kMost));
  }

  double total_ = 0;
};

}  // namespace

std::optional<CompiledRule> compile_rule(const Json& rule, const cel::TypePtr& self) {
  CompiledRule made;
  made.optional_old_self = rule["optionalOldSelf"].as_bool();
  const cel::Environment environment = environment_of(self ? self : cel::Type::dyn(), made.optional_old_self);
  auto program = cel::compile(rule["rule"].as_string(), environment);
  if (!program) return std::nullopt;
  made.program = *std::move(program);
  if (const std::string_view expression = rule["messageExpression"].as_string(); !expression.empty()) {
    if (auto words = cel::compile(expression, environment)) made.message_program = *std::move(words);
  }
  made.text = trimmed(rule["rule"].as_string());
  made.message = trimmed(rule["message"].as_string());
  made.reason = rule["reason"].as_string();
  made.field_path = rule["fieldPath"].as_string();
  return made;
}

void check_rule_definitions(const FieldView& schema) {
  DefinitionCheck check;
  const std::size_t before = schema.errors().size();
  check.node(schema, true, 1, "");
  constexpr auto kMost = static_cast<double>(cel::kEstimatedTotalLimit);
  if (schema.errors().size() == before && check.total() > kMost) {
    schema.forbid(
        over_budget("x-kubernetes-validations estimated rule cost "
                    "total for entire OpenAPIv3 schema",
                    check.total(), kMost));
  }
}

}  // namespace flotilla::apiserver
