// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "core/scheduler/select.hpp"

namespace flotilla::scheduler {
namespace {

struct Path {
  std::vector<std::uint32_t> members;
  std::int64_t value = 0;
  std::int64_t weight = 0;
};

// Walks combinations depth first, in ascending order of value, and keeps each as soon as it is feasible.
class PathSearch {
 public:
  PathSearch(std::span<const Group> groups, std::int32_t min_groups, std::int32_t max_groups,
             std::int64_t target)
      : groups_(groups), order_(groups.size()), min_(min_groups), max_(max_groups), target_(target) {
    std::iota(order_.begin(), order_.end(), 0);
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
      if (groups_[a].value != groups_[b].value) return groups_[a].value < groups_[b].value;
      return better(a, b);
    });
  }

  std::vector<Path> run() {
    walk(0, 0);
    return std::move(paths_);
  }

  // By weight, then by name.
  bool better(std::uint32_t a, std::uint32_t b) const {
    if (groups_[a].weight != groups_[b].weight) return groups_[a].weight > groups_[b].weight;
    return groups_[a].name < groups_[b].name;
  }

 private:
  void walk(std::size_t from, std::int64_t sum) {
    auto length = static_cast<std::int64_t>(taken_.size());
    if (sum >= target_ && length >= min_ && length <= max_) {
      keep();
      return;
    }
    if (length >= max_) return;
    bool all_needed = static_cast<std::int64_t>(groups_.size()) == min_;
    for (std::size_t i = from; i < order_.size(); ++i) {
      taken_.push_back(order_[i]);
      walk(i + 1, sum + groups_[order_[i]].value);
      taken_.pop_back();
      if (all_needed) break;
    }
  }

  void keep() {
    if (taken_.empty()) return;
    Path path{taken_, 0, 0};
    std::sort(path.members.begin(), path.members.end(),
              [&](std::uint32_t a, std::uint32_t b) { return better(a, b); });
    for (std::uint32_t at : path.members) {
      path.value += groups_[at].value;
      path.weight += groups_[at].weight;
    }
    paths_.push_back(std::move(path));
  }

  std::span<const Group> groups_;
  std::vector<std::uint32_t> order_;
  std::int64_t min_;
  std::int64_t max_;
  std::int64_t target_;
  std::vector<std::uint32_t> taken_;
  std::vector<Path> paths_;
};

bool is_prefix(const std::vector<std::uint32_t>& shorter, const std::vector<std::uint32_t>& longer) {
  return shorter.size() < longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

}  // namespace

std::vector<std::uint32_t> choose_groups(std::span<const Group> groups, std::int32_t min_groups,
                                         std::int32_t max_groups, std::int64_t target) {
  if (groups.empty()) return {};
  std::vector<Path> paths = PathSearch(groups, min_groups, max_groups, target).run();
  if (paths.empty()) return {};
  // The order of discovery decides between equals.
  std::stable_sort(paths.begin(), paths.end(), [](const Path& a, const Path& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.value > b.value;
  });
  const Path* best = &paths.front();
  for (const Path& path : paths) {
    if (is_prefix(path.members, best->members)) best = &path;
  }
  return best->members;
}

}  // namespace flotilla::scheduler
