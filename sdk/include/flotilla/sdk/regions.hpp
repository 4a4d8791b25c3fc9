// SPDX-License-Identifier: Apache-2.0
// Candidates by region, and how well each region serves a workload: for policies that select.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace flotilla::sdk {
inline namespace sdk_1 {

// A region with clusters that fit.
struct Region {
  std::uint32_t region = 0;  // sym
  std::int64_t score = 0;
  std::int64_t available = 0;
  std::vector<std::uint32_t> members;  // positions among the candidates, in their order
};

// What the score of a region depends on.
struct RegionRule {
  bool duplicated = false;
  std::int64_t replicas = 0;
  std::int32_t min_regions = 0;
  std::int32_t min_clusters = 0;
};

// How well a region serves: thousands for the replicas (duplicated: the clusters) it can serve, below that
// the mean score of the clusters that serve them.
template <typename Candidates>
std::int64_t score_region(const RegionRule& rule, const Candidates& candidates, const Region& region) {
  std::int64_t score = 0;
  std::int64_t count = 0;
  if (rule.duplicated) {
    for (const std::uint32_t at : region.members) {
      if (candidates[at].available < rule.replicas) continue;
      score += candidates[at].score;
      ++count;
    }
    return count == 0 ? 0 : count * 1000 + score / count;
  }
  const std::int64_t groups = std::max(rule.min_regions, 1);
  const std::int64_t target = (rule.replicas + groups - 1) / groups;
  const std::int64_t at_least = std::max(rule.min_clusters, rule.min_regions);
  std::int64_t sum = 0;
  for (const std::uint32_t at : region.members) {
    sum += candidates[at].available;
    score += candidates[at].score;
    ++count;
    if (count >= at_least && sum >= target) break;
  }
  if (sum < target) return sum * 1000 + score / static_cast<std::int64_t>(region.members.size());
  return target * 1000 + score / count;
}

// Best first; clusters without a region are in none. `regions` is the column, per row.
template <typename Candidates>
std::vector<Region> group_by_region(const RegionRule& rule, const Candidates& candidates,
                                    std::span<const std::uint32_t> regions) {
  std::vector<Region> groups;
  std::vector<std::int32_t> place_of;  // by symbol of the region
  for (std::uint32_t at = 0; at < candidates.size(); ++at) {
    const std::uint32_t region = regions[candidates[at].row];
    if (region == 0) continue;
    if (region >= place_of.size()) place_of.resize(region + 1, -1);
    if (place_of[region] < 0) {
      place_of[region] = static_cast<std::int32_t>(groups.size());
      groups.push_back({region, 0, 0, {}});
    }
    Region& group = groups[static_cast<std::size_t>(place_of[region])];
    group.members.push_back(at);
    group.available += candidates[at].available;
  }
  for (Region& group : groups) group.score = score_region(rule, candidates, group);
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Region& a, const Region& b) { return a.score > b.score; });
  return groups;
}

}  // namespace sdk_1
}  // namespace flotilla::sdk
