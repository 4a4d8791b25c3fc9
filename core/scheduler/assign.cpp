// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/assign.hpp"

#include <algorithm>

#include "core/scheduler/candidates.hpp"
#include "core/scheduler/webster.hpp"

namespace flotilla::scheduler {
namespace {

// Sums of replicas wrap around as 32-bit numbers do: "room without end" on several clusters is part of the
// recorded behaviour.
std::int32_t wrapped_sum(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

std::int32_t sum_of(std::span<const Target> targets) {
  std::int32_t sum = 0;
  for (const Target& target : targets) sum = wrapped_sum(sum, target.replicas);
  return sum;
}

void sort_by_row(std::vector<Target>& targets) {
  auto by_row = [](const Target& a, const Target& b) { return a.row < b.row; };
  if (!std::is_sorted(targets.begin(), targets.end(), by_row)) {
    std::sort(targets.begin(), targets.end(), by_row);
  }
}

// Adds what both give to the same row; both are by ascending row.
std::vector<Target> merged(std::span<const Target> a, std::span<const Target> b) {
  std::vector<Target> sum;
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
std::vector<Target> divide(std::vector<Target> weights, std::int64_t seats, std::string_view uid) {
  sort_by_row(weights);
  std::vector<Party> parties;
  parties.reserve(weights.size());
  for (const Target& weight : weights) parties.push_back({weight.replicas, 0});
  apportion(parties, seats, prefers_last(uid));
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].replicas = parties[i].seats;
  return weights;
}

std::vector<Target> divide_by_static_weights(const AssignInput& input, std::span<const Candidate> selected) {
  std::vector<Target> rows;
  rows.reserve(selected.size());
  for (const Candidate& candidate : selected) rows.push_back({candidate.row, 0});
  sort_by_row(rows);
  std::vector<Party> parties;
  parties.reserve(rows.size());
  bool any = false;
  for (const Target& target : rows) {
    std::int64_t weight = input.weights.empty() ? 1 : input.weights[target.row];
    any |= weight > 0;
    parties.push_back({weight, 0});
  }
  for (Party& party : parties) party.votes = any ? std::max<std::int64_t>(party.votes, 0) : 1;
  apportion(parties, input.replicas, prefers_last(input.uid));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].replicas = parties[i].seats;
  return rows;
}

// What division by room comes down to.
struct Division {
  std::vector<Target> kept;     // stays as it is
  std::vector<Target> weights;  // in proportion to these
  std::int32_t target = 0;      // what is divided
  std::string_view doing;
};

// The previous answer where it still counts: as a list and by row.
class Assigned {
 public:
  Assigned(std::span<const Target> previous, std::span<const Candidate> selected) {
    if (previous.empty()) return;
    Row last = 0;
    for (const Candidate& candidate : selected) last = std::max(last, candidate.row);
    RowSet rows(last + 1);
    by_row_.assign(last + 1, 0);
    for (const Candidate& candidate : selected) rows.add(candidate.row);
    for (const Target& target : previous) {
      if (target.row > last || !rows.has(target.row)) continue;
      targets_.push_back(target);
      by_row_[target.row] = target.replicas;
    }
  }
  const std::vector<Target>& targets() const { return targets_; }
  std::int32_t on(Row row) const { return row < by_row_.size() ? by_row_[row] : 0; }

 private:
  std::vector<Target> targets_;
  std::vector<std::int32_t> by_row_;
};

std::vector<Target> heaviest_first(const std::vector<Target>& weights) {
  std::vector<std::int64_t> keys;
  keys.reserve(weights.size());
  for (const Target& weight : weights) keys.push_back(weight.replicas);
  std::vector<Target> sorted;
  sorted.reserve(weights.size());
  for (std::uint32_t at : descending(keys)) sorted.push_back(weights[at]);
  return sorted;
}

// With what they have already, if `assigned` is given.
std::vector<Target> room_of(std::span<const Candidate> selected, const Assigned* assigned) {
  std::vector<Target> room;
  room.reserve(selected.size());
  for (const Candidate& candidate : selected) {
    std::int32_t more = assigned == nullptr ? 0 : assigned->on(candidate.row);
    room.push_back({candidate.row, wrapped_sum(candidate.allocatable, more)});
  }
  return room;
}

// Takes clusters whose replicas are kept first, then the roomiest, until they suffice.
void keep_fewest(std::vector<Target>& weights, const Assigned* kept, std::int32_t target) {
  weights = heaviest_first(weights);
  if (kept != nullptr && !kept->targets().empty()) {
    std::stable_partition(weights.begin(), weights.end(),
                          [&](const Target& weight) { return kept->on(weight.row) > 0; });
  }
  std::int32_t sum = 0;
  std::size_t count = 0;
  while (count < weights.size() && sum < target) sum = wrapped_sum(sum, weights[count++].replicas);
  weights.resize(count);
}

std::vector<Target> divide_by_room(const AssignInput& input, std::span<const Candidate> selected,
                                   Failure& failure) {
  Division division;
  Assigned before(input.previous, selected);
  std::int32_t assigned = sum_of(before.targets());
  if (input.fresh) {
    division.target = input.replicas;
    division.weights = room_of(selected, &before);
    division.doing = "failed to do fresh scale: ";
  } else if (assigned > input.replicas) {
    division.target = input.replicas;
    division.weights = before.targets();
    division.doing = "failed to scale down: ";
  } else if (assigned < input.replicas) {
    division.target = input.replicas - assigned;
    division.kept = before.targets();
    division.weights = room_of(selected, nullptr);
    division.doing = "failed to scale up: ";
  } else {
    division.kept = before.targets();
    sort_by_row(division.kept);
    return std::move(division.kept);
  }
  std::int32_t room = sum_of(division.weights);
  if (room < division.target) {
    failure = {FailureKind::Unschedulable, std::string(division.doing) + "Clusters available replicas " +
                                               std::to_string(room) + " are not enough to schedule."};
    return {};
  }
  if (input.strategy == Strategy::Aggregated) {
    keep_fewest(division.weights, division.kept.empty() ? nullptr : &before, division.target);
  }
  std::vector<Target> given = divide(std::move(division.weights), division.target, input.uid);
  sort_by_row(division.kept);
  return merged(division.kept, given);
}

std::vector<Target> divide_within(const AssignInput& input, std::span<const Candidate> selected,
                                  Failure& failure) {
  switch (input.strategy) {
    case Strategy::Duplicated: {
      std::vector<Target> targets;
      targets.reserve(selected.size());
      for (const Candidate& candidate : selected) targets.push_back({candidate.row, input.replicas});
      sort_by_row(targets);
      return targets;
    }
    case Strategy::StaticWeight:
      return divide_by_static_weights(input, selected);
    case Strategy::DynamicWeight:
    case Strategy::Aggregated:
      return divide_by_room(input, selected, failure);
    case Strategy::Unknown:
      break;
  }
  failure = {FailureKind::Other, "undefined strategy type"};
  return {};
}

// One tier after the other takes as much as it has room for.
std::vector<Target> fill_tiers(AssignInput input, std::span<const Candidate> selected, Failure& failure) {
  std::vector<Candidate> ordered(selected.begin(), selected.end());
  std::stable_sort(ordered.begin(), ordered.end(), [](const Candidate& a, const Candidate& b) {
    return a.overflow_order < b.overflow_order;
  });
  std::vector<Target> targets;
  std::int64_t left = input.replicas;
  for (std::size_t first = 0; first < ordered.size() && left > 0;) {
    std::size_t last = first;
    std::int64_t room = 0;
    while (last < ordered.size() && ordered[last].overflow_order == ordered[first].overflow_order) {
      room += ordered[last++].available;
    }
    input.replicas = static_cast<std::int32_t>(std::min(left, room));
    auto tier = std::span<const Candidate>(ordered).subspan(first, last - first);
    std::vector<Target> given = divide_within(input, tier, failure);
    if (failure.kind != FailureKind::None) return {};
    sort_by_row(given);
    targets = merged(targets, given);
    left -= input.replicas;
    first = last;
  }
  if (left > 0) {
    failure = {FailureKind::Unschedulable, "Clusters available replicas are not enough to schedule."};
    return {};
  }
  return targets;
}

}  // namespace

std::vector<Target> assign_replicas(const AssignInput& input, std::span<const Candidate> selected,
                                    Failure& failure) {
  std::vector<Target> targets =
      input.tiers ? fill_tiers(input, selected, failure) : divide_within(input, selected, failure);
  std::erase_if(targets, [](const Target& target) { return target.replicas <= 0; });
  return targets;
}

}  // namespace flotilla::scheduler
