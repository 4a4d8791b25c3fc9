// SPDX-License-Identifier: Apache-2.0
#include "core/planning/verdicts.hpp"

#include <algorithm>

namespace flotilla::planning {
namespace {

void add_verdict(const scheduler::Attempt& attempt, const scheduler::ClusterTable& table,
                 const scheduler::Policies& policies, scheduler::Row row, ClusterVerdict& verdict) {
  const scheduler::Record& record = attempt.decision.record;
  const bool deleting = scheduler::has_bit(table.identity().deleting.words(), row);
  verdict.fits = !deleting && row < record.reasons.size() && record.reasons[row] == scheduler::Reasons::kFits;
  if (deleting) {
    verdict.reason = "the cluster is being removed";
  } else if (row < record.reasons.size() && !verdict.fits) {
    verdict.reason = policies.reason(record.reasons[row]);
    const std::size_t by = record.policies[row];
    if (by < policies.entries().size()) verdict.policy = policies.entries()[by].policy->name();
  }
}

// Calls visit(row, verdict of that row) for what the record says of clusters that fit.
template <typename VerdictOf>
void add_findings(const scheduler::Attempt& attempt, VerdictOf verdict_of) {
  const scheduler::Record& record = attempt.decision.record;
  for (const scheduler::Candidate& candidate : record.candidates) {
    if (ClusterVerdict* verdict = verdict_of(candidate.row)) {
      verdict->score = candidate.score;
      verdict->room = candidate.allocatable;
    }
  }
  for (const scheduler::Row row : record.selected)
    if (ClusterVerdict* verdict = verdict_of(row)) verdict->selected = true;
  for (const scheduler::Target& target : attempt.decision.targets) {
    if (ClusterVerdict* verdict = verdict_of(target.row)) {
      verdict->chosen = true;
      verdict->replicas = target.replicas;
    }
  }
}

}  // namespace

Verdicts ask_scheduler(const Sources& sources, const Json& binding) {
  Engine engine(sources);
  return ask_scheduler(engine, binding);
}

Verdicts ask_scheduler(Engine& engine, const Json& binding) {
  Verdicts out;
  const scheduler::Attempt attempt = engine.ask(binding);
  const scheduler::ClusterTable& table = engine.table();
  out.affinity_name = attempt.affinity_name;
  if (!attempt.decision.ok()) out.failure = attempt.decision.failure.message;
  std::vector<ClusterVerdict> verdicts(table.size());
  for (scheduler::Row row = 0; row < table.size(); ++row)
    add_verdict(attempt, table, engine.policies(), row, verdicts[row]);
  add_findings(attempt, [&](scheduler::Row row) { return &verdicts[row]; });
  for (scheduler::Row row = 0; row < table.size(); ++row)
    out.clusters.emplace(table.name(row), std::move(verdicts[row]));
  return out;
}

ClusterVerdict ask_about(Engine& engine, const Json& binding, const std::string& cluster) {
  ClusterVerdict verdict;
  const scheduler::Attempt attempt = engine.ask(binding);
  const scheduler::Row wanted = engine.table().find(cluster);
  if (wanted == scheduler::kNoRow) return verdict;
  add_verdict(attempt, engine.table(), engine.policies(), wanted, verdict);
  add_findings(attempt, [&](scheduler::Row row) { return row == wanted ? &verdict : nullptr; });
  return verdict;
}

}  // namespace flotilla::planning
