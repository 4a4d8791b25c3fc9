// SPDX-License-Identifier: Apache-2.0
#include "core/planning/verdicts.hpp"

#include "core/scheduler/attempt.hpp"
#include "core/scheduler/cluster_table_builder.hpp"

namespace flotilla::planning {

Verdicts ask_scheduler(const Sources& sources, const Json& binding) {
  Verdicts out;
  std::vector<Json> clusters;
  for (const ObjectPtr& cluster : sources.store.list(controllers::kinds::kCluster.collection()).objects)
    clusters.push_back(*cluster->content());
  const scheduler::ClusterTablePtr table = scheduler::make_cluster_table(clusters);
  scheduler::Options options;
  options.empty_workload_propagation = sources.options.enable_empty_workload_propagation;
  options.multiple_pod_templates = sources.options.feature_gates.multiple_pod_templates_scheduling;
  scheduler::Workspace workspace;
  const scheduler::Attempt attempt =
      scheduler::attempt(binding, *table, sources.policies, options, workspace);
  const scheduler::Record& record = attempt.decision.record;
  out.affinity_name = attempt.affinity_name;
  if (!attempt.decision.ok()) out.failure = attempt.decision.failure.message;
  for (scheduler::Row row = 0; row < table->size(); ++row) {
    ClusterVerdict& verdict = out.clusters[std::string(table->name(row))];
    const bool deleting = scheduler::has_bit(table->identity().deleting.words(), row);
    verdict.fits =
        !deleting && row < record.reasons.size() && record.reasons[row] == scheduler::Reasons::kFits;
    if (deleting) {
      verdict.reason = "the cluster is being removed";
    } else if (row < record.reasons.size() && !verdict.fits) {
      verdict.reason = sources.policies.reason(record.reasons[row]);
      const std::size_t by = record.policies[row];
      if (by < sources.policies.entries().size())
        verdict.policy = sources.policies.entries()[by].policy->name();
    }
  }
  const auto of = [&](scheduler::Row row) -> ClusterVerdict& {
    return out.clusters[std::string(table->name(row))];
  };
  for (const scheduler::Candidate& candidate : record.candidates) {
    of(candidate.row).score = candidate.score;
    of(candidate.row).room = candidate.allocatable;
  }
  for (const scheduler::Row row : record.selected) of(row).selected = true;
  for (const scheduler::Target& target : attempt.decision.targets) {
    of(target.row).chosen = true;
    of(target.row).replicas = target.replicas;
  }
  return out;
}

}  // namespace flotilla::planning
