// SPDX-License-Identifier: Apache-2.0
// An OverridePolicy or ClusterOverridePolicy made ready to be applied to many templates: selectors parsed,
// affinities parsed, rules compiled. Make it once per revision of the policy.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/api/cluster_affinity.hpp"
#include "core/api/json.hpp"
#include "core/api/resource_selector.hpp"
#include "core/overrides/rule_registry.hpp"

namespace flotilla::overrides {

// One entry of spec.overrideRules.
struct ClusterRule {
  std::optional<api::ClusterAffinity> target;  // nothing: every cluster
  api::Json overriders;                        // as the policy writes them
  std::string place;                           // of these in the policy: spec.overrideRules[0].overriders
  std::vector<std::shared_ptr<const Rule>> steps;
  std::vector<std::string> fields;  // per step: the member of `overriders` it was made of
  // Why it could not be compiled. The policy still stands: clusters it does not mean are none the worse for
  // it.
  std::optional<Error> fault;

  bool means(const api::Json& cluster) const { return !target || target->matches(cluster); }
};

class CompiledPolicy {
 public:
  CompiledPolicy(const api::Json& policy, const RuleRegistry& registry);

  const std::string& name() const { return name_; }
  // Empty for a ClusterOverridePolicy.
  const std::string& name_space() const { return namespace_; }
  const std::vector<ClusterRule>& rules() const { return rules_; }
  // A policy without selectors means everything.
  api::MatchPrecision match(const api::Json& object) const;
  // The first fault of its rules, to be shown to whoever wrote the policy.
  const Error* fault() const;

 private:
  static ClusterRule compile(const api::Json& target, const api::Json& overriders,
                             const RuleRegistry& registry);

  std::string name_;
  std::string namespace_;
  std::vector<api::ResourceSelector> selectors_;
  std::vector<ClusterRule> rules_;
};

}  // namespace flotilla::overrides
