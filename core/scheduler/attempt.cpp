// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/attempt.hpp"

#include "core/scheduler/trigger.hpp"

namespace flotilla::scheduler {

Attempt attempt(const api::Json& binding, const ClusterTable& table, Policies& policies,
                const Options& options, Workspace& workspace) {
  Binding parsed = parse_binding(binding["spec"], binding["status"]);
  Attempt attempt;
  const auto terms = binding["spec"]["placement"]["clusterAffinities"].elements();
  if (terms.empty()) {
    attempt.decision = schedule(table, parsed, policies, options, workspace);
    if (!attempt.decision.ok()) attempt.failures.push_back(attempt.decision.failure);
    attempt.binding = std::move(parsed);
    return attempt;
  }
  const std::size_t first =
      parsed.reschedule ? 0 : affinity_index(*parsed.placement, parsed.observed_affinity);
  for (std::size_t i = first; i < terms.size(); ++i) {
    attempt.affinity_name = terms[i]["affinityName"].as_string();
    parsed.observed_affinity = attempt.affinity_name;
    attempt.decision = schedule(table, parsed, policies, options, workspace);
    if (attempt.decision.ok()) {
      attempt.failures.clear();
      break;
    }
    attempt.failures.push_back(attempt.decision.failure);
  }
  attempt.binding = std::move(parsed);
  return attempt;
}

}  // namespace flotilla::scheduler
