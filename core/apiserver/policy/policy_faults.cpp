// SPDX-License-Identifier: Apache-2.0
// What a policy or a binding may not say, in the words of Kubernetes' validation.
#include <algorithm>
#include <array>

#include "core/api/validation/field_error.hpp"
#include "core/apiserver/errors.hpp"
#include "core/apiserver/policy/facts.hpp"
#include "core/apiserver/policy/policy.hpp"

namespace flotilla::apiserver {
namespace {

using api::at_field;
using api::at_index;
using api::FieldErrors;

constexpr std::array<std::string_view, 4> kReasons = {"Forbidden", "Invalid", "RequestEntityTooLarge",
                                                      "Unauthorized"};
constexpr std::array<std::string_view, 3> kActions = {"Audit", "Deny", "Warn"};
constexpr std::size_t kMostConditions = 64;

bool is_identifier(std::string_view text) {
  const auto escaped = cel::escape_property(text);
  return escaped && *escaped == text;
}

bool trim_is_empty(const Json& text) {
  return text.as_string().find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// The type of an expression that compiles; null after a fault.
cel::TypePtr check_expression(FieldErrors& errors, const std::string& path, const Json& expression,
                              const cel::Environment& environment) {
  const auto program = cel::compile(expression.as_string(), environment);
  if (program) return (*program)->type();
  errors.invalid(path, expression, "compilation failed: " + program.error().message());
  return nullptr;
}

void demand_type(FieldErrors& errors, const std::string& path, const Json& expression,
                 const cel::Environment& environment, std::initializer_list<cel::TypeKind> kinds,
                 std::string_view complaint) {
  const cel::TypePtr type = check_expression(errors, path, expression, environment);
  if (!type || type->is(cel::TypeKind::Dyn)) return;
  if (std::find(kinds.begin(), kinds.end(), type->kind()) == kinds.end())
    errors.invalid(path, expression, complaint);
}

void check_conditions(FieldErrors& errors, const Json& list, const std::string& path,
                      const FactChoice& choice) {
  if (list.size() > kMostConditions)
    errors.too_many(path, static_cast<std::int64_t>(list.size()), static_cast<std::int64_t>(kMostConditions));
  std::vector<std::string_view> names;
  const cel::Environment environment = facts_environment(choice);
  for (std::size_t i = 0; i < list.size() && i < kMostConditions; ++i) {
    const Json& condition = list.element(i);
    const std::string at = at_index(path, i);
    if (trim_is_empty(condition["expression"])) {
      errors.required(at_field(at, "expression"));
    } else {
      demand_type(errors, at_field(at, "expression"), condition["expression"], environment,
                  {cel::TypeKind::Bool}, "must evaluate to bool");
    }
    const std::string_view name = condition["name"].as_string();
    if (name.empty()) {
      errors.required(at_field(at, "name"));
    } else {
      for (const std::string& fault : api::validate_label_key(name))
        errors.invalid(at_field(at, "name"), condition["name"], fault);
      if (std::find(names.begin(), names.end(), name) != names.end())
        errors.duplicate(at_field(at, "name"), condition["name"]);
      names.push_back(name);
    }
  }
}

// Variables in order; what they are is left in `choice`.
void check_variables(FieldErrors& errors, const Json& list, const std::string& path, FactChoice& choice) {
  std::vector<cel::ObjectField> known;
  choice.variables = cel::Type::object("kubernetes.variables", {});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json& variable = list.element(i);
    const std::string at = at_index(path, i);
    const std::string name(variable["name"].as_string());
    if (name.empty()) {
      errors.required(at_field(at, "name"), "name is not specified");
    } else if (!is_identifier(name)) {
      errors.invalid(at_field(at, "name"), variable["name"], "name is not a valid CEL identifier");
    }
    cel::TypePtr type;
    if (trim_is_empty(variable["expression"])) {
      errors.required(at_field(at, "expression"), "expression is not specified");
    } else {
      type = check_expression(errors, at_field(at, "expression"), variable["expression"],
                              facts_environment(choice));
    }
    known.push_back({name, name, type ? type : cel::Type::dyn()});
    choice.variables = cel::Type::object("kubernetes.variables", known);
  }
}

void check_validation(FieldErrors& errors, const Json& validation, const std::string& at, FactChoice choice) {
  if (trim_is_empty(validation["expression"])) {
    errors.required(at_field(at, "expression"), "expression is not specified");
  } else {
    demand_type(errors, at_field(at, "expression"), validation["expression"], facts_environment(choice),
                {cel::TypeKind::Bool}, "must evaluate to bool");
  }
  const std::string_view message = validation["message"].as_string();
  if (message.empty() && validation["expression"].as_string().find('\n') != std::string_view::npos)
    errors.required(at_field(at, "message"), "message must be specified if expression contains line breaks");
  if (message.find('\n') != std::string_view::npos)
    errors.invalid(at_field(at, "message"), validation["message"], "message must not contain line breaks");
  choice.authorizer = false;
  if (!validation["messageExpression"].as_string().empty()) {
    demand_type(errors, at_field(at, "messageExpression"), validation["messageExpression"],
                facts_environment(choice), {cel::TypeKind::String}, "must evaluate to string");
  }
  const std::string_view reason = validation["reason"].as_string();
  if (!reason.empty() && std::find(kReasons.begin(), kReasons.end(), reason) == kReasons.end())
    errors.not_supported(at_field(at, "reason"), validation["reason"], kReasons);
}

void check_annotation(FieldErrors& errors, const Json& annotation, const std::string& at,
                      const FactChoice& choice) {
  if (annotation["key"].as_string().empty()) errors.required(at_field(at, "key"));
  if (trim_is_empty(annotation["valueExpression"])) {
    errors.required(at_field(at, "valueExpression"), "valueExpression is not specified");
    return;
  }
  demand_type(errors, at_field(at, "valueExpression"), annotation["valueExpression"],
              facts_environment(choice), {cel::TypeKind::String, cel::TypeKind::Null},
              "must evaluate to one of [string null_type]");
}

void check_match(FieldErrors& errors, const Json& match, const std::string& path, bool needs_rules) {
  if (match.is_null()) {
    if (needs_rules) errors.required(path);
    return;
  }
  const Json& rules = match["resourceRules"];
  const std::string at = at_field(path, "resourceRules");
  if (needs_rules && rules.empty()) errors.required(at);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (const std::string_view field : {"apiGroups", "apiVersions", "resources", "operations"})
      if (rules.element(i)[field].empty()) errors.required(at_field(at_index(at, i), field));
  }
}

void check_params(FieldErrors& errors, const Json& reference, const std::string& path) {
  if (reference.is_null()) return;
  const bool named = !reference["name"].as_string().empty();
  const bool selected = reference["selector"].is_object();
  if (named && selected) {
    errors.forbidden(at_field(path, "name"), "name and selector are mutually exclusive");
    errors.forbidden(at_field(path, "selector"), "name and selector are mutually exclusive");
  } else if (!named && !selected) {
    errors.required(path, "one of name or selector must be specified");
  }
  const Json& action = reference["parameterNotFoundAction"];
  if (action.as_string().empty()) {
    errors.required(at_field(path, "parameterNotFoundAction"));
  } else if (action.as_string() != "Allow" && action.as_string() != "Deny") {
    errors.not_supported(at_field(path, "parameterNotFoundAction"), action, {"Deny", "Allow"});
  }
}

void check_actions(FieldErrors& errors, const Json& actions, const std::string& path) {
  if (actions.empty()) errors.required(path);
  bool denies = false, warns = false;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const std::string_view action = actions.element(i).as_string();
    if (std::find(kActions.begin(), kActions.end(), action) == kActions.end())
      errors.not_supported(at_index(path, i), actions.element(i), kActions);
    denies |= action == "Deny";
    warns |= action == "Warn";
  }
  if (denies && warns) {
    errors.invalid(
        path, actions,
        "must not contain both Deny and Warn (repeating the same validation failure information in the "
        "API response and headers serves no purpose)");
  }
}

}  // namespace

std::vector<Cause> faults_of_conditions(const Json& list, const std::string& path) {
  FieldErrors errors;
  check_conditions(errors, list, path, FactChoice::of_webhooks());
  return errors.causes();
}

Status review_policy_kinds(const Resource& resource, const Json& object) {
  if (resource.group != "admissionregistration.k8s.io") return {};
  std::vector<Cause> causes;
  if (resource.kind == "ValidatingAdmissionPolicy") causes = faults_of_policy(object);
  if (resource.kind == "ValidatingAdmissionPolicyBinding") causes = faults_of_binding(object);
  const Json& webhooks = object["webhooks"];
  for (std::size_t i = 0; i < webhooks.size(); ++i) {
    for (Cause& cause : faults_of_conditions(webhooks.element(i)["matchConditions"],
                                             at_field(at_index("webhooks", i), "matchConditions")))
      causes.push_back(std::move(cause));
  }
  if (causes.empty()) return {};
  return object_invalid(resource.group, resource.kind, api::name_of(object), std::move(causes));
}

std::vector<Cause> faults_of_policy(const Json& policy) {
  const Json& spec = policy["spec"];
  FieldErrors errors;
  FactChoice choice;
  const Json& kind = spec["paramKind"];
  choice.params = kind.is_object();
  if (choice.params) {
    for (const std::string_view field : {"apiVersion", "kind"})
      if (kind[field].as_string().empty()) errors.required(at_field("spec.paramKind", field));
  }
  check_match(errors, spec["matchConstraints"], "spec.matchConstraints", true);
  check_conditions(errors, spec["matchConditions"], "spec.matchConditions", choice);
  check_variables(errors, spec["variables"], "spec.variables", choice);
  const Json& validations = spec["validations"];
  const Json& annotations = spec["auditAnnotations"];
  if (validations.empty() && annotations.empty()) {
    errors.required("spec.validations", "validations or auditAnnotations must contain at least one item");
    errors.required("spec.auditAnnotations",
                    "validations or auditAnnotations must contain at least one item");
  }
  for (std::size_t i = 0; i < validations.size(); ++i)
    check_validation(errors, validations.element(i), at_index("spec.validations", i), choice);
  for (std::size_t i = 0; i < annotations.size(); ++i)
    check_annotation(errors, annotations.element(i), at_index("spec.auditAnnotations", i), choice);
  const Json& failure = spec["failurePolicy"];
  if (failure.is_string() && failure.as_string() != "Fail" && failure.as_string() != "Ignore")
    errors.not_supported("spec.failurePolicy", failure, {"Fail", "Ignore"});
  return errors.causes();
}

std::vector<Cause> faults_of_binding(const Json& binding) {
  const Json& spec = binding["spec"];
  FieldErrors errors;
  if (spec["policyName"].as_string().empty()) errors.required("spec.policyName");
  check_params(errors, spec["paramRef"], "spec.paramRef");
  check_match(errors, spec["matchResources"], "spec.matchResources", false);
  check_actions(errors, spec["validationActions"], "spec.validationActions");
  return errors.causes();
}

}  // namespace flotilla::apiserver
