// SPDX-License-Identifier: Apache-2.0
// The rule is told as a walk over combinations: groups in ascending order of value; depth first; a
// combination counts, and is not extended, as soon as it has enough groups and clusters; the heaviest wins,
// then the one with most clusters, then the one met first. Walking is exponential, so beyond a few groups the
// same winner is found by dynamic programming over (first group, groups left, clusters left).
#include <algorithm>
#include <numeric>
#include <optional>

#include "core/scheduler/select.hpp"

namespace flotilla::scheduler {
namespace {

// What is maximised, in this order.
struct Merit {
  std::int64_t weight = 0;
  std::int64_t value = 0;

  auto operator<=>(const Merit&) const = default;
  Merit plus(const Group& group) const { return {weight + group.weight, value + group.value}; }
};

// Walks combinations depth first and keeps the best.
class Walk {
 public:
  Walk(std::span<const Group> groups, std::int64_t min, std::int64_t max, std::int64_t target)
      : groups_(groups), min_(min), max_(max), target_(target) {}

  std::vector<std::uint32_t> best() {
    step(0, Merit());
    return best_;
  }

 private:
  void step(std::uint32_t from, Merit merit) {
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
  Merit best_merit_;
};

// The same winner among combinations of one length, up to `longest`. `late`: without its last group a
// combination must not have enough clusters, because otherwise it would have counted before.
class Programme {
 public:
  Programme(std::span<const Group> groups, std::int64_t longest, std::int64_t target, bool late)
      : groups_(groups), longest_(longest), target_(std::max<std::int64_t>(target, 0)), late_(late) {
    std::size_t rows = groups.size() + 1;
    table_.resize(rows * width());
    for (std::size_t i = rows; i-- > 0;) {
      for (std::int64_t left = 0; left <= longest_; ++left) {
        for (std::int64_t lack = 0; lack <= target_; ++lack) at(i, left, lack) = compute(i, left, lack);
      }
    }
  }

  std::optional<Merit> merit(std::int64_t length) const { return value(0, length, target_); }

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
  std::optional<Merit>& at(std::size_t i, std::int64_t left, std::int64_t lack) {
    return table_[i * width() + static_cast<std::size_t>(left * (target_ + 1) + lack)];
  }
  const std::optional<Merit>& value(std::size_t i, std::int64_t left, std::int64_t lack) const {
    return table_[i * width() + static_cast<std::size_t>(left * (target_ + 1) + lack)];
  }
  std::int64_t after(std::size_t i, std::int64_t lack) const {
    return std::max<std::int64_t>(lack - groups_[i].value, 0);
  }

  // With group i as the next one.
  std::optional<Merit> take(std::size_t i, std::int64_t left, std::int64_t lack) const {
    std::int64_t still = after(i, lack);
    if (left == 1 ? (still > 0 || (late_ && lack == 0)) : (late_ && still == 0)) return std::nullopt;
    const std::optional<Merit>& rest = value(i + 1, left - 1, still);
    if (!rest) return std::nullopt;
    return rest->plus(groups_[i]);
  }
  std::optional<Merit> compute(std::size_t i, std::int64_t left, std::int64_t lack) const {
    if (left == 0) return lack == 0 ? std::optional<Merit>(Merit()) : std::nullopt;
    if (i == groups_.size()) return std::nullopt;
    return std::max(take(i, left, lack), value(i + 1, left, lack));
  }

  std::span<const Group> groups_;
  std::int64_t longest_;
  std::int64_t target_;
  bool late_;
  std::vector<std::optional<Merit>> table_;
};

std::vector<std::uint32_t> best_of_lengths(std::span<const Group> groups, std::int64_t min, std::int64_t max,
                                           std::int64_t target) {
  std::vector<std::uint32_t> best;
  std::optional<Merit> most;
  max = std::min(max, static_cast<std::int64_t>(groups.size()));
  min = std::max<std::int64_t>(min, 1);
  if (min > max) return best;
  auto consider = [&](const Programme& programme, std::int64_t length) {
    std::optional<Merit> merit = programme.merit(length);
    if (!merit || (most && *merit < *most)) return;
    std::vector<std::uint32_t> winner = programme.winner(length);
    if (!most || *merit > *most || winner < best) best = std::move(winner);
    most = merit;
  };
  consider(Programme(groups, min, target, false), min);
  const Programme late(groups, max, target, true);
  for (std::int64_t length = min + 1; length <= max; ++length) consider(late, length);
  return best;
}

// Would a walk accept this combination as it is?
bool counts(std::span<const Group> groups, std::vector<std::uint32_t> members, std::int64_t min,
            std::int64_t target) {
  std::sort(members.begin(), members.end());
  std::int64_t value = 0;
  for (std::uint32_t at : members) value += groups[at].value;
  auto length = static_cast<std::int64_t>(members.size());
  if (length < min || value < target) return false;
  bool before = length - 1 >= min && value - groups[members.back()].value >= target;
  return !before;
}

constexpr std::size_t kWalkable = 12;

}  // namespace

std::vector<std::uint32_t> choose_groups(std::span<const Group> groups, std::int32_t min_groups,
                                         std::int32_t max_groups, std::int64_t target) {
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
                                        ? Walk(sorted, min_groups, max_groups, target).best()
                                        : best_of_lengths(sorted, min_groups, max_groups, target);
  // The best first. The fewest of them that would have counted by themselves suffice.
  std::sort(best.begin(), best.end(),
            [&](std::uint32_t a, std::uint32_t b) { return better(order[a], order[b]); });
  for (std::size_t length = 1; length < best.size(); ++length) {
    std::vector<std::uint32_t> prefix(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(length));
    if (!counts(sorted, prefix, min_groups, target)) continue;
    best = std::move(prefix);
    break;
  }
  for (std::uint32_t& at : best) at = order[at];
  return best;
}

}  // namespace flotilla::scheduler
