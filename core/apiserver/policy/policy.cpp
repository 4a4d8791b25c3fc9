// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/policy/policy.hpp"

#include <algorithm>

#include "core/apiserver/policy/facts.hpp"

namespace flotilla::apiserver {
namespace {

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> out;
  for (const Json& entry : list.elements()) out.emplace_back(entry.as_string());
  return out;
}

Result<api::LabelSelector> selector_of(const Json& selector) {
  if (selector.is_null()) return api::LabelSelector();
  return api::LabelSelector::from_json(selector);
}

PolicyExpression compiled(const Json& text, const cel::Environment& environment) {
  PolicyExpression out;
  out.text = text.as_string();
  out.program = cel::compile(out.text, environment);
  return out;
}

// Each variable sees those before it; `choice.variables` grows.
std::vector<PolicyVariable> read_variables(const Json& list, FactChoice& choice) {
  std::vector<PolicyVariable> out;
  std::vector<cel::ObjectField> known;
  choice.variables = cel::Type::object("kubernetes.variables", {});
  for (const Json& variable : list.elements()) {
    PolicyVariable made;
    made.name = variable["name"].as_string();
    made.expression = compiled(variable["expression"], facts_environment(choice));
    known.push_back({made.name, made.name,
                     made.expression.program ? (*made.expression.program)->type() : cel::Type::dyn()});
    choice.variables = cel::Type::object("kubernetes.variables", known);
    out.push_back(std::move(made));
  }
  return out;
}

}  // namespace

std::vector<ResourceMatch::NamedRule> ResourceMatch::read_rules(const Json& rules) {
  std::vector<NamedRule> out;
  for (const Json& rule : rules.elements())
    out.push_back({MatchRule::read(rule), strings_of(rule["resourceNames"])});
  return out;
}

ResourceMatch ResourceMatch::read(const Json& match) {
  ResourceMatch out;
  out.rules_ = read_rules(match["resourceRules"]);
  out.excluded_ = read_rules(match["excludeResourceRules"]);
  out.everything_ = out.rules_.empty();
  out.equivalent_ = match["matchPolicy"].as_string("Equivalent") == "Equivalent";
  auto namespaces = selector_of(match["namespaceSelector"]);
  auto objects = selector_of(match["objectSelector"]);
  if (!namespaces) {
    out.readable_ = namespaces.error();
  } else if (!objects) {
    out.readable_ = objects.error();
  } else {
    out.namespaces_ = *std::move(namespaces);
    out.objects_ = *std::move(objects);
  }
  return out;
}

ResourcePtr ResourceMatch::find(const std::vector<NamedRule>& rules,
                                const AdmissionAttributes& attributes) const {
  std::vector<MatchRule> meant;
  for (const NamedRule& rule : rules) {
    const auto& names = rule.names;
    if (names.empty() || std::find(names.begin(), names.end(), attributes.name) != names.end())
      meant.push_back(rule.rule);
  }
  return meant.empty() ? nullptr : matching_version(meant, equivalent_, attributes);
}

Result<ResourcePtr> ResourceMatch::matching(const AdmissionAttributes& attributes,
                                            const store::Store& store) const {
  if (!readable_) return internal_error(readable_.error().message());
  if (!namespaces_.selects_everything()) {
    const auto labels = namespace_labels(attributes, store);
    if (!labels) return labels.error();
    if (!labels->is_null() && !namespaces_.matches(*labels)) return ResourcePtr();
  }
  if (!objects_.selects_everything()) {
    const auto selects = [&](const Json& object) {
      return object.is_object() && objects_.matches(object["metadata"]["labels"]);
    };
    if (!selects(attributes.object) && !selects(attributes.old_object)) return ResourcePtr();
  }
  if (find(excluded_, attributes)) return ResourcePtr();
  return everything_ ? attributes.resource : find(rules_, attributes);
}

PolicyPtr AdmissionPolicy::read(const api::Object& object) {
  const auto content = object.content();
  const Json& spec = (*content)["spec"];
  auto out = std::make_shared<AdmissionPolicy>();
  out->name = object.name();
  out->uid = object.uid();
  out->generation = object.generation();
  out->ignores_failure = spec["failurePolicy"].as_string("Fail") == "Ignore";
  const Json& kind = spec["paramKind"];
  if (kind.is_object())
    out->param_kind = api::Gvk::from(kind["apiVersion"].as_string(), kind["kind"].as_string());
  out->match = ResourceMatch::read(spec["matchConstraints"]);
  FactChoice choice;
  choice.params = out->param_kind.has_value();
  out->conditions = MatchConditions::read(spec["matchConditions"], choice);
  out->variables = read_variables(spec["variables"], choice);
  const cel::Environment environment = facts_environment(choice);
  choice.authorizer = false;
  const cel::Environment for_messages = facts_environment(choice);
  for (const Json& validation : spec["validations"].elements()) {
    PolicyValidation made;
    made.expression = compiled(validation["expression"], environment);
    made.message = validation["message"].as_string();
    made.reason = validation["reason"].as_string();
    const Json& message = validation["messageExpression"];
    if (!message.as_string().empty()) made.message_expression = compiled(message, for_messages);
    out->validations.push_back(std::move(made));
  }
  for (const Json& annotation : spec["auditAnnotations"].elements()) {
    out->annotations.push_back(
        {std::string(annotation["key"].as_string()), compiled(annotation["valueExpression"], environment)});
  }
  return out;
}

PolicyBindingPtr PolicyBinding::read(const api::Object& object) {
  const auto content = object.content();
  const Json& spec = (*content)["spec"];
  auto out = std::make_shared<PolicyBinding>();
  out->name = object.name();
  out->policy = spec["policyName"].as_string();
  const Json& params = spec["paramRef"];
  out->has_params = params.is_object();
  out->param_name = params["name"].as_string();
  out->param_ns = params["namespace"].as_string();
  if (params["selector"].is_object()) {
    auto selector = api::LabelSelector::from_json(params["selector"]);
    out->param_selector = selector ? *std::move(selector) : api::LabelSelector::nothing();
  }
  out->forgives_missing = params["parameterNotFoundAction"].as_string() == "Allow";
  out->actions = strings_of(spec["validationActions"]);
  for (const std::string& action : out->actions) {
    out->denies |= action == "Deny";
    out->warns |= action == "Warn";
    out->audits |= action == "Audit";
  }
  if (spec["matchResources"].is_object()) out->match = ResourceMatch::read(spec["matchResources"]);
  return out;
}

}  // namespace flotilla::apiserver
