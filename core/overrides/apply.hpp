// SPDX-License-Identifier: Apache-2.0
// Overrides a manifest for the clusters it goes to.
//
// 1. ClusterOverridePolicies come first, then (for namespaced objects) the OverridePolicies of its namespace;
// what
//    the first did to its labels counts for whether the second match.
// 2. In each phase the policies that mean the object apply from the least to the most precise selector, then
// by
//    name: the more specific one has the last word. (The record of what was applied is in the order of
//    names.)
// 3. Of each policy the rules that mean the cluster apply in the order they are written.
// 4. Of each rule the overriders apply in the order of their kinds.
//
// Clusters for which the outcome is the same share one manifest: the cost grows with the number of different
// outcomes, not with the number of clusters.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"
#include "core/overrides/compiled_policy.hpp"
#include "core/overrides/rule.hpp"

namespace flotilla::overrides {

using Policies = std::span<const std::shared_ptr<const CompiledPolicy>>;

// Targets that get the same manifest.
struct Outcome {
  api::Json manifest;
  std::vector<std::uint32_t> targets;
  // [{policyName, overriders}] ascending by name; null where none was.
  api::Json applied_cluster_overrides;
  api::Json applied_overrides;
};

// Targets for which no manifest could be made.
struct Failed {
  std::vector<std::uint32_t> targets;
  Error error;
};

struct Overridden {
  std::vector<Outcome> outcomes;
  std::vector<Failed> failures;
};

// One overrider that changed a manifest, for who wants to know where a line comes from.
struct AppliedStep {
  const CompiledPolicy& policy;
  std::size_t rule;        // its place in spec.overrideRules
  std::string_view field;  // of `overriders`
  std::span<const std::uint32_t> targets;
  const api::Json& before;
  const api::Json& after;
};
using StepWitness = std::function<void(const AppliedStep&)>;

// `policies` may hold those of other namespaces: they are passed over.
Overridden apply_overrides(const api::Json& manifest, std::span<const Target> targets,
                           Policies cluster_policies, Policies policies, const StepWitness& witness = {});

}  // namespace flotilla::overrides
