// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/attempt.hpp"

namespace flotilla::scheduler {

Attempt attempt(const api::Json& binding, const ClusterTable& table, Policies& policies,
                const Options& options, Workspace& workspace) {
  return attempt(parse_binding(binding["spec"], binding["status"]), table, policies, options, workspace);
}

Attempt attempt(const Binding& binding, const ClusterTable& table, Policies& policies, const Options& options,
                Workspace& workspace) {
  Attempt attempt;
  const std::vector<ClusterAffinity>& terms = binding.placement->affinities;
  if (terms.empty()) {
    attempt.decision = schedule(table, binding, policies, options, workspace);
    if (!attempt.decision.ok()) attempt.failures.push_back(attempt.decision.failure);
    attempt.binding = binding;
    return attempt;
  }
  Binding tried = binding;
  attempt.first_term = binding.reschedule ? 0 : affinity_index(*binding.placement, binding.observed_affinity);
  for (std::size_t i = attempt.first_term; i < terms.size(); ++i) {
    attempt.affinity_name = terms[i].name;
    tried.observed_affinity = attempt.affinity_name;
    attempt.decision = schedule(table, tried, policies, options, workspace);
    if (attempt.decision.ok()) {
      attempt.passed = std::move(attempt.failures);
      attempt.failures.clear();
      break;
    }
    attempt.failures.push_back(attempt.decision.failure);
    if (options.watch != nullptr && options.watch->given_up()) break;
  }
  attempt.binding = std::move(tried);
  return attempt;
}

}  // namespace flotilla::scheduler
