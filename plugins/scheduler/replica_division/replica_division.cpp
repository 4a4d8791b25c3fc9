// SPDX-License-Identifier: Apache-2.0
// How many replicas each chosen cluster gets: all of them, by static weights, by room, or on the fewest
// clusters; tier by tier where the placement has overflow tiers.
#include <flotilla/sdk/apportion.hpp>
#include <flotilla/sdk/order.hpp>
#include <flotilla/sdk/scheduler.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

namespace sdk = flotilla::sdk;

using Shares = std::vector<flt_target_t>;

// Sums of replicas wrap around as 32-bit numbers do: "room without end" on several clusters is part of the
// recorded behaviour.
std::int32_t wrapped_sum(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

std::int32_t sum_of(const Shares& shares) {
  std::int32_t sum = 0;
  for (const flt_target_t& share : shares) sum = wrapped_sum(sum, share.replicas);
  return sum;
}

void sort_by_row(Shares& shares) {
  const auto by_row = [](const flt_target_t& a, const flt_target_t& b) { return a.row < b.row; };
  if (!std::is_sorted(shares.begin(), shares.end(), by_row)) std::sort(shares.begin(), shares.end(), by_row);
}

// Adds what both give to the same row; both are by ascending row.
Shares merged(const Shares& a, const Shares& b) {
  if (a.empty()) return b;
  Shares sum;
  sum.reserve(a.size() + b.size());
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (j == b.size() || (i < a.size() && a[i].row < b[j].row)) {
      sum.push_back(a[i++]);
    } else if (i == a.size() || b[j].row < a[i].row) {
      sum.push_back(b[j++]);
    } else {
      sum.push_back({a[i].row, wrapped_sum(a[i].replicas, b[j].replicas)});
      ++i;
      ++j;
    }
  }
  return sum;
}

// `seats` among these, in proportion to their replicas.
Shares divide(Shares weights, std::int64_t seats, std::string_view uid) {
  sort_by_row(weights);
  std::vector<sdk::Party> parties;
  parties.reserve(weights.size());
  for (const flt_target_t& weight : weights) parties.push_back({weight.replicas, 0});
  sdk::apportion(parties, seats, sdk::prefers_last(uid));
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].replicas = parties[i].seats;
  return weights;
}

Shares divide_by_static_weights(sdk::Workload workload, std::int32_t replicas, sdk::Candidates selected) {
  Shares rows;
  rows.reserve(selected.size());
  for (const flt_candidate_t& candidate : selected) rows.push_back({candidate.row, 0});
  sort_by_row(rows);
  std::vector<sdk::Party> parties;
  parties.reserve(rows.size());
  bool any = false;
  for (const flt_target_t& target : rows) {
    const std::int64_t weight = workload.weights == nullptr ? 1 : workload.weights[target.row];
    any |= weight > 0;
    parties.push_back({weight, 0});
  }
  for (sdk::Party& party : parties) party.votes = any ? std::max<std::int64_t>(party.votes, 0) : 1;
  sdk::apportion(parties, replicas, sdk::prefers_last(sdk::view(workload.uid)));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].replicas = parties[i].seats;
  return rows;
}

// The previous answer where it still counts: as a list and by row.
class Assigned {
 public:
  Assigned(std::span<const flt_target_t> previous, sdk::Candidates selected) {
    if (previous.empty()) return;
    std::uint32_t last = 0;
    for (const flt_candidate_t& candidate : selected) last = std::max(last, candidate.row);
    std::vector<bool> rows(last + 1);
    by_row_.assign(last + 1, 0);
    for (const flt_candidate_t& candidate : selected) rows[candidate.row] = true;
    for (const flt_target_t& target : previous) {
      if (target.row > last || !rows[target.row]) continue;
      shares_.push_back(target);
      by_row_[target.row] = target.replicas;
    }
  }
  const Shares& shares() const { return shares_; }
  std::int32_t on(std::uint32_t row) const { return row < by_row_.size() ? by_row_[row] : 0; }

 private:
  Shares shares_;
  std::vector<std::int32_t> by_row_;
};

// With what they have already, if `assigned` is given.
Shares room_of(sdk::Candidates selected, const Assigned* assigned) {
  Shares room;
  room.reserve(selected.size());
  for (const flt_candidate_t& candidate : selected) {
    const std::int32_t more = assigned == nullptr ? 0 : assigned->on(candidate.row);
    room.push_back({candidate.row, wrapped_sum(candidate.allocatable, more)});
  }
  return room;
}

Shares heaviest_first(const Shares& weights) {
  std::vector<std::int64_t> keys;
  keys.reserve(weights.size());
  for (const flt_target_t& weight : weights) keys.push_back(weight.replicas);
  Shares sorted;
  sorted.reserve(weights.size());
  for (const std::uint32_t at : sdk::descending(keys)) sorted.push_back(weights[at]);
  return sorted;
}

// Takes clusters whose replicas are kept first, then the roomiest, until they suffice.
void keep_fewest(Shares& weights, const Assigned* kept, std::int32_t target) {
  weights = heaviest_first(weights);
  if (kept != nullptr && !kept->shares().empty()) {
    std::stable_partition(weights.begin(), weights.end(),
                          [&](const flt_target_t& weight) { return kept->on(weight.row) > 0; });
  }
  std::int32_t sum = 0;
  std::size_t count = 0;
  while (count < weights.size() && sum < target) sum = wrapped_sum(sum, weights[count++].replicas);
  weights.resize(count);
}

// What division by room comes down to.
struct Division {
  Shares kept;              // stays as it is
  Shares weights;           // in proportion to these
  std::int32_t target = 0;  // what is divided
  const char* doing = "";
};

Shares divide_by_room(sdk::Workload workload, std::int32_t replicas, sdk::Candidates selected) {
  Division division;
  const Assigned before(sdk::previous(workload), selected);
  const std::int32_t assigned = sum_of(before.shares());
  if ((workload.flags & FLT_WORKLOAD_FRESH) != 0) {
    division = {{}, room_of(selected, &before), replicas, "failed to do fresh scale: "};
  } else if (assigned > replicas) {
    division = {{}, before.shares(), replicas, "failed to scale down: "};
  } else if (assigned < replicas) {
    division = {before.shares(), room_of(selected, nullptr), wrapped_sum(replicas, -assigned),
                "failed to scale up: "};
  } else {
    return before.shares();
  }
  const std::int32_t room = sum_of(division.weights);
  if (room < division.target) {
    throw sdk::not_enough_room(std::string(division.doing) + "Clusters available replicas " +
                               std::to_string(room) + " are not enough to schedule.");
  }
  if (workload.strategy == FLT_DIVIDE_AGGREGATED) {
    keep_fewest(division.weights, division.kept.empty() ? nullptr : &before, division.target);
  }
  const Shares given = divide(std::move(division.weights), division.target, sdk::view(workload.uid));
  sort_by_row(division.kept);
  return merged(division.kept, given);
}

Shares divide_within(sdk::Workload workload, std::int32_t replicas, sdk::Candidates selected) {
  switch (workload.strategy) {
    case FLT_DIVIDE_DUPLICATED: {
      Shares shares;
      shares.reserve(selected.size());
      for (const flt_candidate_t& candidate : selected) shares.push_back({candidate.row, replicas});
      return shares;
    }
    case FLT_DIVIDE_STATIC_WEIGHT:
      return divide_by_static_weights(workload, replicas, selected);
    case FLT_DIVIDE_DYNAMIC_WEIGHT:
    case FLT_DIVIDE_AGGREGATED:
      return divide_by_room(workload, replicas, selected);
    default:
      throw sdk::cannot_be_met("undefined strategy type");
  }
}

// One tier after the other takes as much as it has room for.
Shares fill_tiers(sdk::Workload workload, sdk::Candidates selected) {
  std::vector<flt_candidate_t> ordered(selected.begin(), selected.end());
  std::stable_sort(ordered.begin(), ordered.end(), [](const flt_candidate_t& a, const flt_candidate_t& b) {
    return a.overflow_order < b.overflow_order;
  });
  Shares shares;
  std::int64_t left = workload.replicas;
  for (std::size_t first = 0; first < ordered.size() && left > 0;) {
    std::size_t last = first;
    std::int64_t room = 0;
    while (last < ordered.size() && ordered[last].overflow_order == ordered[first].overflow_order) {
      room += ordered[last++].available;
    }
    const auto part = static_cast<std::int32_t>(std::min(left, room));
    Shares given = divide_within(workload, part, sdk::Candidates(ordered).subspan(first, last - first));
    sort_by_row(given);
    shares = merged(shares, given);
    left -= part;
    first = last;
  }
  if (left > 0) throw sdk::not_enough_room("Clusters available replicas are not enough to schedule.");
  return shares;
}

class ReplicaDivision {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "replica_division",
                                               .summary = "Replicas by the strategy of the placement"};
  static constexpr bool kBounded = true;
  static constexpr bool kFallback = true;

  // Only the choice of the fewest clusters looks at the order.
  void prepare(sdk::Workload workload, sdk::Table, sdk::Preparation steps) const {
    if (workload.strategy != FLT_DIVIDE_AGGREGATED) steps.any_order();
  }

  void assign(sdk::Workload workload, sdk::Table, sdk::Candidates selected, sdk::Targets targets) const {
    const Shares shares = (workload.flags & FLT_WORKLOAD_TIERS) != 0
                              ? fill_tiers(workload, selected)
                              : divide_within(workload, workload.replicas, selected);
    for (const flt_target_t& share : shares) {
      if (share.replicas > 0) targets.add(share.row, share.replicas);
    }
  }
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.scheduler.replica_division",
                                      .version = "0.1.0",
                                      .name = "Replica division"}),
           &flotilla::sdk::scheduler_component<ReplicaDivision>)
