// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/select.hpp"

#include <algorithm>

#include "core/scheduler/candidates.hpp"

namespace flotilla::scheduler {
namespace {

constexpr std::int64_t kIgnoreCapacity = -1;

std::int64_t needed_replicas(const SelectInput& input) {
  if (!input.placement->has_scheduling || input.placement->strategy == Strategy::Duplicated) {
    return kIgnoreCapacity;
  }
  return input.one_set ? 1 : input.replicas;
}

// 1. Take the first `count`.
// 2. While they have too little room, from the last to the first: swap one for the cluster outside that has
// the
//    most room, if that is more than its own.
Status select_by_cluster(const SelectInput& input, const SpreadConstraint& constraint,
                         std::vector<Candidate>& candidates) {
  auto total = static_cast<std::int64_t>(candidates.size());
  if (total < constraint.min_groups) {
    return internal("the number of feasible clusters is less than spreadConstraint.MinGroups");
  }
  auto count = static_cast<std::size_t>(std::clamp<std::int64_t>(constraint.max_groups, 0, total));
  std::int64_t needed = needed_replicas(input);
  if (needed != kIgnoreCapacity) {
    std::int64_t room = 0;
    for (std::size_t i = 0; i < count; ++i) room += candidates[i].available;
    for (std::size_t i = count; i-- > 0 && room < needed;) {
      auto outside = candidates.begin() + static_cast<std::ptrdiff_t>(count);
      auto most = std::max_element(outside, candidates.end(), [](const Candidate& a, const Candidate& b) {
        return a.available < b.available;
      });
      if (most == candidates.end() || most->available <= candidates[i].available) continue;
      room += most->available - candidates[i].available;
      std::swap(*most, candidates[i]);
    }
    if (room < needed || count == 0) {
      return internal("no enough resource when selecting " + std::to_string(count) + " clusters");
    }
  }
  candidates.resize(count);
  return {};
}

// 1. Choose the regions. 2. Take the best cluster of each. 3. Fill up from all their others, best first, to
// the cluster constraint's maximum.
Status select_by_region(const SelectInput& input, const SpreadConstraint& region,
                        std::vector<Candidate>& candidates) {
  std::vector<RegionInfo> regions = group_by_region(input, candidates);
  if (static_cast<std::int64_t>(regions.size()) < region.min_groups) {
    return internal("the number of feasible region is less than spreadConstraint.MinGroups");
  }
  const SpreadConstraint* cluster = input.placement->find_spread(SpreadField::Cluster);
  std::vector<Group> groups;
  for (const RegionInfo& info : regions) {
    groups.push_back({input.table->symbols().text(info.region),
                      static_cast<std::int64_t>(info.members.size()), info.score});
  }
  std::vector<std::uint32_t> chosen = choose_groups(groups, region.min_groups, region.max_groups,
                                                    cluster == nullptr ? 0 : cluster->min_groups);
  if (chosen.empty()) {
    return internal("the number of clusters is less than the cluster spreadConstraint.MinGroups");
  }
  std::vector<Candidate> selected;
  std::vector<Candidate> others;
  for (std::uint32_t at : chosen) {
    const std::vector<std::uint32_t>& members = regions[at].members;
    selected.push_back(candidates[members[0]]);
    for (std::size_t i = 1; i < members.size(); ++i) others.push_back(candidates[members[i]]);
  }
  std::sort(others.begin(), others.end(),
            [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
  order_candidates(others);
  // Without a cluster constraint, one cluster per region is all that is asked for.
  auto most = static_cast<std::size_t>(cluster == nullptr ? 0 : std::max(cluster->max_groups, 0));
  std::size_t count = std::min(selected.size() + others.size(), most);
  for (std::size_t i = 0; selected.size() < count; ++i) selected.push_back(others[i]);
  candidates = std::move(selected);
  return {};
}

// How well a region serves: thousands for the replicas (Duplicated: the clusters) it can serve, below that
// the mean score of the clusters that serve them.
void score_region(const SelectInput& input, std::int32_t min_groups, std::span<const Candidate> candidates,
                  RegionInfo& info) {
  std::int64_t replicas = input.replicas;
  std::int64_t score = 0;
  std::int64_t count = 0;
  if (!input.placement->has_scheduling || input.placement->strategy == Strategy::Duplicated) {
    for (std::uint32_t at : info.members) {
      if (candidates[at].available < replicas) continue;
      score += candidates[at].score;
      ++count;
    }
    info.score = count == 0 ? 0 : count * 1000 + score / count;
    return;
  }
  std::int64_t groups = std::max(min_groups, 1);
  std::int64_t target = (replicas + groups - 1) / groups;
  const SpreadConstraint* cluster = input.placement->find_spread(SpreadField::Cluster);
  std::int64_t at_least = std::max(cluster == nullptr ? 0 : cluster->min_groups, min_groups);
  std::int64_t sum = 0;
  for (std::uint32_t at : info.members) {
    sum += candidates[at].available;
    score += candidates[at].score;
    ++count;
    if (count >= at_least && sum >= target) break;
  }
  info.score = sum < target ? sum * 1000 + score / static_cast<std::int64_t>(info.members.size())
                            : target * 1000 + score / count;
}

}  // namespace

bool spreads(const Placement& placement) {
  return !placement.spread.empty() && !placement.ignores_spread();
}

Status select_clusters(const SelectInput& input, std::vector<Candidate>& candidates) {
  if (!spreads(*input.placement)) return {};
  if (const SpreadConstraint* region = input.placement->find_spread(SpreadField::Region)) {
    return select_by_region(input, *region, candidates);
  }
  if (const SpreadConstraint* cluster = input.placement->find_spread(SpreadField::Cluster)) {
    return select_by_cluster(input, *cluster, candidates);
  }
  return internal("just support cluster and region spread constraint");
}

std::vector<RegionInfo> group_by_region(const SelectInput& input, std::span<const Candidate> candidates) {
  const SpreadConstraint* constraint = input.placement->find_spread(SpreadField::Region);
  std::vector<RegionInfo> regions;
  if (constraint == nullptr) return regions;
  std::vector<std::int32_t> place_of;  // by symbol of the region
  const std::vector<Sym>& column = input.table->identity().regions;
  for (std::uint32_t at = 0; at < candidates.size(); ++at) {
    Sym region = column[candidates[at].row];
    if (region == kNoSym) continue;
    if (region >= place_of.size()) place_of.resize(region + 1, -1);
    if (place_of[region] < 0) {
      place_of[region] = static_cast<std::int32_t>(regions.size());
      regions.push_back({region, 0, 0, {}});
    }
    RegionInfo& info = regions[static_cast<std::size_t>(place_of[region])];
    info.members.push_back(at);
    info.available += candidates[at].available;
  }
  for (RegionInfo& info : regions) score_region(input, constraint->min_groups, candidates, info);
  std::stable_sort(regions.begin(), regions.end(),
                   [](const RegionInfo& a, const RegionInfo& b) { return a.score > b.score; });
  return regions;
}

}  // namespace flotilla::scheduler
