// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/candidates.hpp"

#include <algorithm>
#include <flotilla/sdk/order.hpp>

namespace flotilla::scheduler {

void order_candidates(std::vector<Candidate>& candidates) {
  if (candidates.size() < 2) return;
  sdk::Extent overflow;
  sdk::Extent score;
  sdk::Extent available;
  for (const Candidate& candidate : candidates) {
    overflow.add(candidate.overflow_order);
    score.add(candidate.score);
    available.add(candidate.available);
  }
  int bits = overflow.bits() + score.bits() + available.bits();
  if (bits > 64) {
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
      if (a.overflow_order != b.overflow_order) return a.overflow_order < b.overflow_order;
      if (a.score != b.score) return a.score > b.score;
      return a.available > b.available;
    });
    return;
  }
  std::vector<sdk::Keyed> items;
  items.reserve(candidates.size());
  for (std::uint32_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    std::uint64_t key = overflow.ascending(candidate.overflow_order);
    key = score.bits() == 0 ? key : key << score.bits() | score.descending(candidate.score);
    key = available.bits() == 0 ? key : key << available.bits() | available.descending(candidate.available);
    items.push_back({key, i});
  }
  sdk::sort_keyed(items, bits);
  std::vector<Candidate> ordered;
  ordered.reserve(candidates.size());
  for (const sdk::Keyed& item : items) ordered.push_back(candidates[item.position]);
  candidates.swap(ordered);
}

}  // namespace flotilla::scheduler
