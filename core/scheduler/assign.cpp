// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/assign.hpp"

#include <algorithm>

namespace flotilla::scheduler {
namespace {

void sort_by_row(std::vector<Target>& targets) {
  auto by_row = [](const Target& a, const Target& b) { return a.row < b.row; };
  if (!std::is_sorted(targets.begin(), targets.end(), by_row)) {
    std::sort(targets.begin(), targets.end(), by_row);
  }
}

std::vector<Target> duplicated(std::span<const Candidate> selected, std::int32_t replicas) {
  std::vector<Target> targets;
  targets.reserve(selected.size());
  for (const Candidate& candidate : selected) targets.push_back({candidate.row, replicas});
  return targets;
}

// Empty, or what is wrong with these targets.
std::string check(const Workload& workload, std::span<const Candidate> selected,
                  std::span<const Target> targets) {
  const std::int32_t replicas = workload.binding->replicas;
  RowSet open(workload.table->size());
  for (const Candidate& candidate : selected) open.add(candidate.row);
  std::int64_t sum = 0;
  for (const Target& target : targets) {
    if (target.row >= workload.table->size() || !open.has(target.row)) {
      return "assigned replicas to a cluster twice, or to one that was not selected";
    }
    open.remove(target.row);
    if (target.replicas < 0 || target.replicas > replicas) {
      return "assigned " + std::to_string(target.replicas) + " replicas to " +
             std::string(workload.table->name(target.row)) + ", of " + std::to_string(replicas);
    }
    sum += target.replicas;
  }
  if (workload.strategy() != Strategy::Duplicated && sum != replicas) {
    return "assigned " + std::to_string(sum) + " of " + std::to_string(replicas) + " replicas";
  }
  return {};
}

Failure refused(const Policy& policy, const Error& error) {
  if (error.is(Code::ResourceExhausted)) {
    return {FailureKind::Unschedulable, std::string(error.message())};
  }
  const std::string who = error.is(Code::Conflict) ? "" : "policy " + std::string(policy.name()) + ": ";
  return {FailureKind::Other, who + std::string(error.message())};
}

}  // namespace

std::vector<Target> assign_replicas(const Workload& workload, const Policies& policies,
                                    std::span<const Candidate> selected, Failure& failure) {
  std::vector<Target> targets;
  if (selected.empty()) {
    failure = {FailureKind::Other, "no clusters available to schedule"};
    return targets;
  }
  const Policy* policy = policies.active(workload, kAssignStep);
  if (policy == nullptr && workload.strategy() != Strategy::Duplicated) {
    failure = {FailureKind::Other, "no policy divides replicas"};
    return targets;
  }
  if (policy == nullptr) {
    targets = duplicated(selected, workload.binding->replicas);
  } else {
    targets.resize(selected.size());
    std::size_t count = 0;
    if (Status done = policy->assign(workload, selected, targets, count); !done) {
      failure = refused(*policy, done.error());
      return {};
    }
    std::string wrong = count > targets.size() ? "assigned replicas to " + std::to_string(count) + " of " +
                                                     std::to_string(targets.size()) + " clusters"
                                               : check(workload, selected, std::span(targets).first(count));
    if (!wrong.empty()) {
      policy->charge(wrong);
      failure = {FailureKind::Other, "policy " + std::string(policy->name()) + " " + wrong};
      return {};
    }
    targets.resize(count);
  }
  std::erase_if(targets, [](const Target& target) { return target.replicas <= 0; });
  sort_by_row(targets);
  return targets;
}

}  // namespace flotilla::scheduler
