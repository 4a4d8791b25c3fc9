// SPDX-License-Identifier: Apache-2.0
// Which policy claims a template.
//
// A template that nobody claims goes to the best policy that means it: a PropagationPolicy of its namespace
// before any ClusterPropagationPolicy, whatever their priorities; then the higher spec.priority; then the
// more precise selector (name, labels, all); then the smaller name. How old a policy is never counts. A claim
// stays until its policy is deleted or no longer means the template, or another one preempts it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/resource_selector.hpp"
#include "core/base/result.hpp"
#include "core/controllers/propagation/claim.hpp"

namespace flotilla::controllers {

// A PropagationPolicy or ClusterPropagationPolicy ready to be matched against many templates. Make it once
// per revision of the policy.
class ClaimingPolicy {
 public:
  explicit ClaimingPolicy(const api::Json& policy);

  const Claim& claim() const { return claim_; }
  const std::string& name() const { return claim_.name; }
  const std::string& name_space() const { return claim_.name_space; }
  bool cluster_scoped() const { return claim_.by_cluster_policy(); }
  std::int32_t priority() const { return priority_; }
  bool preempts() const { return preempts_; }  // spec.preemption: Always
  bool lazy() const { return lazy_; }          // spec.activationPreference: Lazy
  bool deleting() const { return deleting_; }
  const std::vector<api::ResourceSelector>& selectors() const { return selectors_; }
  // OverridePolicies that have to be there before the policy takes effect.
  const std::vector<std::string>& dependent_overrides() const { return dependent_overrides_; }
  // None for templates of other namespaces, in the case of a PropagationPolicy.
  api::MatchPrecision match(const api::Json& object) const;

 private:
  Claim claim_;
  std::int32_t priority_;
  bool preempts_;
  bool lazy_;
  bool deleting_;
  std::vector<api::ResourceSelector> selectors_;
  std::vector<std::string> dependent_overrides_;
};

using ClaimingPolicies = std::span<const std::shared_ptr<const ClaimingPolicy>>;

// Null: none means it. Deleting policies and those of other namespaces may be among them.
const ClaimingPolicy* choose_policy(const api::Json& object, ClaimingPolicies policies,
                                    ClaimingPolicies cluster_policies);

// Null where there is no such policy.
using FindPolicy =
    std::function<const ClaimingPolicy*(const std::string& name_space, const std::string& name)>;

// Whether `policy`, which preempts and means the template, takes it from the one that has claimed it. Errors:
// NotFound, when that one is gone.
Result<bool> preempts(const ClaimingPolicy& policy, const api::Json& object, const FindPolicy& find);

}  // namespace flotilla::controllers
