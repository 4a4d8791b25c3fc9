// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/policy_match.hpp"

#include <tuple>

#include "core/api/object.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using api::MatchPrecision;

const ClaimingPolicy* best_of(const Json& object, ClaimingPolicies policies, bool cluster_scoped) {
  const ClaimingPolicy* best = nullptr;
  MatchPrecision best_precision = MatchPrecision::None;
  for (const auto& policy : policies) {
    if (policy->deleting() || policy->cluster_scoped() != cluster_scoped) continue;
    const MatchPrecision precision = policy->match(object);
    if (precision == MatchPrecision::None) continue;
    // The name counts the other way round: the smaller is the better.
    const bool better = best == nullptr || std::tuple(policy->priority(), precision, best->name()) >
                                               std::tuple(best->priority(), best_precision, policy->name());
    if (!better) continue;
    best = policy.get();
    best_precision = precision;
  }
  return best;
}

std::string not_found_text(const Claim& claim) {
  const std::string_view resource =
      claim.by_cluster_policy() ? "clusterpropagationpolicies" : "propagationpolicies";
  return std::string(resource) + ".policy.karmada.io \"" + claim.name + "\" not found";
}

// Whether `policy` has a strictly higher priority than the policy of the same kind that `held` speaks of.
Result<bool> outranks(const ClaimingPolicy& policy, const Claim& held, const FindPolicy& find) {
  if (held.name == policy.name() && held.name_space == policy.name_space()) return false;
  const ClaimingPolicy* holder = find(held.name_space, held.name);
  if (holder == nullptr) return not_found(not_found_text(held));
  return policy.priority() > holder->priority();
}

}  // namespace

ClaimingPolicy::ClaimingPolicy(const Json& policy)
    : claim_(claim_by(policy)),
      priority_(static_cast<std::int32_t>(policy.at({"spec", "priority"}).as_int())),
      preempts_(policy.at({"spec", "preemption"}).as_string() == "Always"),
      lazy_(policy.at({"spec", "activationPreference"}).as_string() == "Lazy"),
      deleting_(!policy.at({"metadata", "deletionTimestamp"}).is_null()),
      selectors_(api::resource_selectors(policy.at({"spec", "resourceSelectors"}))) {
  for (const Json& name : policy.at({"spec", "dependentOverrides"}).elements()) {
    dependent_overrides_.emplace_back(name.as_string());
  }
}

MatchPrecision ClaimingPolicy::match(const Json& object) const {
  if (!cluster_scoped() && api::namespace_of(object) != name_space()) return MatchPrecision::None;
  return api::match_any(selectors_, object);
}

const ClaimingPolicy* choose_policy(const Json& object, ClaimingPolicies policies,
                                    ClaimingPolicies cluster_policies) {
  if (!api::namespace_of(object).empty()) {
    if (const ClaimingPolicy* local = best_of(object, policies, false)) return local;
  }
  return best_of(object, cluster_policies, true);
}

Result<bool> preempts(const ClaimingPolicy& policy, const Json& object, const FindPolicy& find) {
  const auto by_policy = claim_by_policy_on(object);
  const auto by_cluster_policy = claim_by_cluster_policy_on(object);
  if (policy.cluster_scoped()) {
    if (!by_cluster_policy || by_policy) return false;
    return outranks(policy, *by_cluster_policy, find);
  }
  if (by_policy) return outranks(policy, *by_policy, find);
  return by_cluster_policy.has_value();
}

}  // namespace flotilla::controllers
