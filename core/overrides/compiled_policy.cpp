// SPDX-License-Identifier: Apache-2.0
#include "core/overrides/compiled_policy.hpp"

namespace flotilla::overrides {
namespace {

// An overrider that says nothing: absent, or an empty list or object. (A rule may well take a number or a
// text.)
bool is_unset(const api::Json& params) {
  return params.is_null() || ((params.is_array() || params.is_object()) && params.empty());
}

}  // namespace

CompiledPolicy::CompiledPolicy(const api::Json& policy, const RuleRegistry& registry)
    : name_(policy.at({"metadata", "name"}).as_string()),
      namespace_(policy.at({"metadata", "namespace"}).as_string()),
      selectors_(api::resource_selectors(policy.at({"spec", "resourceSelectors"}))) {
  const api::Json& spec = policy["spec"];
  for (const api::Json& rule : spec["overrideRules"].elements()) {
    rules_.push_back(compile(rule["targetCluster"], rule["overriders"], registry));
    rules_.back().place = "spec.overrideRules[" + std::to_string(rules_.size() - 1) + "].overriders";
  }
  // The form before overrideRules: one rule, written into spec itself.
  if (!rules_.empty()) return;
  rules_.push_back(compile(spec["targetCluster"], spec["overriders"], registry));
  rules_.back().place = "spec.overriders";
}

api::MatchPrecision CompiledPolicy::match(const api::Json& object) const {
  return selectors_.empty() ? api::MatchPrecision::All : api::match_any(selectors_, object);
}

const Error* CompiledPolicy::fault() const {
  for (const ClusterRule& rule : rules_) {
    if (rule.fault) return &*rule.fault;
  }
  return nullptr;
}

ClusterRule CompiledPolicy::compile(const api::Json& target, const api::Json& overriders,
                                    const RuleRegistry& registry) {
  ClusterRule rule;
  rule.overriders = overriders;
  if (!target.is_null()) rule.target.emplace(target);
  for (const auto [field, params] : overriders.members()) {
    if (is_unset(params) || registry.find(field) != nullptr) continue;
    rule.fault = Error(Code::Unavailable, "no override rule for " + std::string(field) +
                                              " is loaded: install or enable the plugin that has it");
    return rule;
  }
  for (const auto& kind : registry.kinds()) {
    const api::Json& params = overriders[kind->field()];
    if (is_unset(params)) continue;
    auto compiled = kind->compile(params);
    if (!compiled) {
      rule.fault = std::move(compiled).context(kind->field());
      return rule;
    }
    rule.steps.push_back(std::move(*compiled));
    rule.fields.emplace_back(kind->field());
  }
  return rule;
}

}  // namespace flotilla::overrides
