// SPDX-License-Identifier: Apache-2.0
// Choosing among groups of clusters (regions, labels), for policies that select.
//
// The rule is told as a walk over combinations: groups in ascending order of value; depth first; a
// combination counts, and is not extended, as soon as it has enough groups and clusters; the heaviest wins,
// then the one with most clusters, then the one met first. Walking is exponential, so beyond a few groups the
// same winner is found by dynamic programming over (first group, groups left, clusters left).
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace flotilla::sdk {
inline namespace sdk_1 {

// A group to choose from: `value` clusters, of `weight`.
struct Group {
  std::string_view name;
  std::int64_t value = 0;
  std::int64_t weight = 0;
};

// What is maximised, in this order.
struct GroupMerit {
  std::int64_t weight = 0;
  std::int64_t value = 0;

  auto operator<=>(const GroupMerit&) const = default;
  GroupMerit plus(const Group& group) const { return {weight + group.weight, value + group.value}; }
};

// Walks combinations depth first and keeps the best.
class GroupWalk {
 public:
  GroupWalk(std::span<const Group> groups, std::int64_t min, std::int64_t max, std::int64_t target)
      : groups_(groups), min_(min), max_(max), target_(target) {}

  std::vector<std::uint32_t> best() {
    step(0, GroupMerit());
    return best_;
  }

 private:
  void step(std::uint32_t from, GroupMerit merit) {
    auto length = static_cast<std::int64_t>(taken_.size());
    if (merit.value >= target_ && length >= min_ && length <= max_) {
      if (!taken_.empty() && (best_.empty() || merit > best_merit_)) {
        best_ = taken_;
        best_merit_ = merit;
      }
      return;
    }
    if (length >= max_) return;
    for (std::uint32_t i = from; i < groups_.size(); ++i) {
      taken_.push_back(i);
      step(i + 1, merit.plus(groups_[i]));
      taken_.pop_back();
    }
  }

  std::span<const Group> groups_;
  std::int64_t min_;
  std::int64_t max_;
  std::int64_t target_;
  std::vector<std::uint32_t> taken_;
  std::vector<std::uint32_t> best_;
  GroupMerit best_merit_;
};

// The same winner among combinations of one length, up to `longest`. `late`: without its last group a
// combination must not have enough clusters, because otherwise it would have counted before.
class GroupProgramme {
 public:
  GroupProgramme(std::span<const Group> groups, std::int64_t longest, std::int64_t target, bool late)
      : groups_(groups), longest_(longest), target_(std::max<std::int64_t>(target, 0)), late_(late) {
    std::size_t rows = groups.size() + 1;
    table_.resize(rows * width());
    for (std::size_t i = rows; i-- > 0;) {
      for (std::int64_t left = 0; left <= longest_; ++left) {
        for (std::int64_t lack = 0; lack <= target_; ++lack) at(i, left, lack) = compute(i, left, lack);
      }
    }
  }

  std::optional<GroupMerit> merit(std::int64_t length) const { return value(0, length, target_); }

  // The winner that a walk meets first.
  std::vector<std::uint32_t> winner(std::int64_t length) const {
    std::vector<std::uint32_t> taken;
    std::int64_t lack = target_;
    std::size_t i = 0;
    for (std::int64_t left = length; left > 0; ++i) {
      if (take(i, left, lack) != value(i, left, lack)) continue;
      taken.push_back(static_cast<std::uint32_t>(i));
      lack = after(i, lack);
      --left;
    }
    return taken;
  }

 private:
  std::size_t width() const { return static_cast<std::size_t>((longest_ + 1) * (target_ + 1)); }
  std::optional<GroupMerit>& at(std::size_t i, std::int64_t left, std::int64_t lack) {
    return table_[i * width() + static_cast<std::size_t>(left * (target_ + 1) + lack)];
  }
  const std::optional<GroupMerit>& value(std::size_t i, std::int64_t left, std::int64_t lack) const {
    return table_[i * width() + static_cast<std::size_t>(left * (target_ + 1) + lack)];
  }
  std::int64_t after(std::size_t i, std::int64_t lack) const {
    return std::max<std::int64_t>(lack - groups_[i].value, 0);
  }

  // With group i as the next one.
  std::optional<GroupMerit> take(std::size_t i, std::int64_t left, std::int64_t lack) const {
    std::int64_t still = after(i, lack);
    if (left == 1 ? (still > 0 || (late_ && lack == 0)) : (late_ && still == 0)) return std::nullopt;
    const std::optional<GroupMerit>& rest = value(i + 1, left - 1, still);
    if (!rest) return std::nullopt;
    return rest->plus(groups_[i]);
  }
  std::optional<GroupMerit> compute(std::size_t i, std::int64_t left, std::int64_t lack) const {
    if (left == 0) return lack == 0 ? std::optional<GroupMerit>(GroupMerit()) : std::nullopt;
    if (i == groups_.size()) return std::nullopt;
    return std::max(take(i, left, lack), value(i + 1, left, lack));
  }

  std::span<const Group> groups_;
  std::int64_t longest_;
  std::int64_t target_;
  bool late_;
  std::vector<std::optional<GroupMerit>> table_;
};

inline std::vector<std::uint32_t> best_of_lengths(std::span<const Group> groups, std::int64_t min,
                                                  std::int64_t max, std::int64_t target) {
  std::vector<std::uint32_t> best;
  std::optional<GroupMerit> most;
  max = std::min(max, static_cast<std::int64_t>(groups.size()));
  min = std::max<std::int64_t>(min, 1);
  if (min > max) return best;
  auto consider = [&](const GroupProgramme& programme, std::int64_t length) {
    std::optional<GroupMerit> merit = programme.merit(length);
    if (!merit || (most && *merit < *most)) return;
    std::vector<std::uint32_t> winner = programme.winner(length);
    if (!most || *merit > *most || winner < best) best = std::move(winner);
    most = merit;
  };
  consider(GroupProgramme(groups, min, target, false), min);
  const GroupProgramme late(groups, max, target, true);
  for (std::int64_t length = min + 1; length <= max; ++length) consider(late, length);
  return best;
}

// Would a walk accept this combination as it is?
inline bool would_count(std::span<const Group> groups, std::vector<std::uint32_t> members, std::int64_t min,
                        std::int64_t target) {
  std::sort(members.begin(), members.end());
  std::int64_t value = 0;
  for (std::uint32_t at : members) value += groups[at].value;
  auto length = static_cast<std::int64_t>(members.size());
  if (length < min || value < target) return false;
  bool before = length - 1 >= min && value - groups[members.back()].value >= target;
  return !before;
}

inline constexpr std::size_t kWalkable = 12;

// The best combination of min_groups..max_groups groups that together have `target` clusters: positions in
// `groups`, best group first. Empty when there is none.
inline std::vector<std::uint32_t> choose_groups(std::span<const Group> groups, std::int32_t min_groups,
                                                std::int32_t max_groups, std::int64_t target) {
  std::int64_t all = 0;
  for (const Group& group : groups) all += group.value;
  if (all < target) return {};
  auto better = [&](std::uint32_t a, std::uint32_t b) {
    if (groups[a].weight != groups[b].weight) return groups[a].weight > groups[b].weight;
    return groups[a].name < groups[b].name;
  };
  std::vector<std::uint32_t> order(groups.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return groups[a].value != groups[b].value ? groups[a].value < groups[b].value : better(a, b);
  });
  std::vector<Group> sorted;
  for (std::uint32_t at : order) sorted.push_back(groups[at]);
  std::vector<std::uint32_t> best = groups.size() <= kWalkable
                                        ? GroupWalk(sorted, min_groups, max_groups, target).best()
                                        : best_of_lengths(sorted, min_groups, max_groups, target);
  // The best first. The fewest of them that would have counted by themselves suffice.
  std::sort(best.begin(), best.end(),
            [&](std::uint32_t a, std::uint32_t b) { return better(order[a], order[b]); });
  for (std::size_t length = 1; length < best.size(); ++length) {
    std::vector<std::uint32_t> prefix(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(length));
    if (!would_count(sorted, prefix, min_groups, target)) continue;
    best = std::move(prefix);
    break;
  }
  for (std::uint32_t& at : best) at = order[at];
  return best;
}

}  // namespace sdk_1
}  // namespace flotilla::sdk
