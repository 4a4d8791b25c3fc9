// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/select.hpp"

#include <flotilla/sdk/regions.hpp>

namespace flotilla::scheduler {
namespace {

Failure fault(const Policy& policy, std::string what) {
  policy.charge(what);
  return {FailureKind::Other, "policy " + std::string(policy.name()) + " " + what};
}

// Brings the candidates into the order of `chosen`. Empty, or what is wrong with it.
std::string take_chosen(std::size_t rows, std::span<const Row> chosen, std::vector<Candidate>& candidates) {
  constexpr std::uint32_t kNone = 0xffffffffu;
  std::vector<std::uint32_t> place(rows, kNone);
  for (std::uint32_t i = 0; i < candidates.size(); ++i) place[candidates[i].row] = i;
  std::vector<Candidate> taken;
  taken.reserve(chosen.size());
  for (Row row : chosen) {
    if (row >= rows || place[row] == kNone) return "chose a cluster twice, or one that was no candidate";
    taken.push_back(candidates[place[row]]);
    place[row] = kNone;
  }
  candidates.swap(taken);
  return {};
}

}  // namespace

const SpreadConstraint* grouping(const Placement& placement, bool any) {
  if (const SpreadConstraint* region = placement.find_spread(SpreadField::Region)) return region;
  if (!any) return nullptr;
  for (const SpreadField field : {SpreadField::Provider, SpreadField::Zone, SpreadField::Label})
    if (const SpreadConstraint* found = placement.find_spread(field)) return found;
  return nullptr;
}

Sym group_of(const ClusterTable& table, const SpreadConstraint& by, Row row) {
  const ClusterIdentity& identity = table.identity();
  switch (by.field) {
    case SpreadField::Region:
      return identity.regions[row];
    case SpreadField::Provider:
      return identity.providers[row];
    case SpreadField::Zone:
      return identity.zones.at(row).empty() ? kNoSym : identity.zones.at(row).front();
    case SpreadField::Label: {
      const Sym key = table.symbols().find(by.label);
      for (const Label& label : identity.labels.at(row))
        if (label.key == key) return label.value;
      return kNoSym;
    }
    default:
      return kNoSym;
  }
}

bool spreads(const Placement& placement) {
  return !placement.spread.empty() && !placement.ignores_spread();
}

bool select_clusters(const Workload& workload, const Policies& policies, std::vector<Candidate>& candidates,
                     Failure& failure) {
  const Policy* policy = policies.active(workload, kSelectStep);
  if (policy == nullptr) {
    if (!workload.spreads) return true;
    failure = {FailureKind::Other, "no policy heeds spread constraints"};
    return false;
  }
  std::vector<Row> chosen(candidates.size());
  std::size_t count = 0;
  if (Status done = policy->select(workload, candidates, chosen, count); !done) {
    const std::string who =
        done.error().is(Code::Conflict) ? "" : "policy " + std::string(policy->name()) + ": ";
    failure = {FailureKind::Other, who + done.error().message()};
    return false;
  }
  if (count > chosen.size()) {
    failure = fault(*policy,
                    "chose " + std::to_string(count) + " of " + std::to_string(chosen.size()) + " clusters");
    return false;
  }
  chosen.resize(count);
  std::string wrong = take_chosen(workload.table->size(), chosen, candidates);
  if (wrong.empty()) return true;
  failure = fault(*policy, std::move(wrong));
  return false;
}

std::vector<RegionInfo> group_by_region(const Workload& workload, std::span<const Candidate> candidates) {
  std::vector<RegionInfo> infos;
  const SpreadConstraint* by = grouping(*workload.binding->placement, workload.spreads_by_any);
  if (by == nullptr) return infos;
  std::vector<Sym> groups(workload.table->size(), kNoSym);
  for (const Candidate& candidate : candidates)
    groups[candidate.row] = group_of(*workload.table, *by, candidate.row);
  const SpreadConstraint* cluster = workload.binding->placement->find_spread(SpreadField::Cluster);
  sdk::RegionRule rule;
  rule.duplicated = workload.strategy() == Strategy::Duplicated;
  rule.replicas = workload.binding->replicas;
  rule.min_regions = by->min_groups;
  rule.min_clusters = cluster == nullptr ? 0 : cluster->min_groups;
  for (sdk::Region& each : sdk::group_by_region(rule, candidates, std::span<const Sym>(groups))) {
    infos.push_back({each.region, each.score, each.available, std::move(each.members)});
  }
  return infos;
}

}  // namespace flotilla::scheduler
