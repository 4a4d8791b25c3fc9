// SPDX-License-Identifier: Apache-2.0
// How many Works of one policy or one cluster may go within a window before somebody has to look. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"

namespace flotilla::controllers {

struct BudgetLimits {
  std::int64_t removals = 200;  // within the window; 0: no bound
  double share = 0.5;           // of what was there; both must be exceeded
  Duration window = std::chrono::minutes(10);
};

// A breaker: it trips once the budget is spent and closes when the window has passed since, or when `reset`
// is another text than at that time.
class DeleteBudget {
 public:
  struct Answer {
    bool allowed = true;
    bool tripped_now = false;
    bool closed_now = false;  // by `reset`
    Duration left{0};         // until it closes by itself
  };
  // `works_left` is asked for where the number alone would trip.
  Answer ask(const BudgetLimits& limits, std::string_view reset,
             const std::function<std::int64_t()>& works_left, WallTime now);
  void spend(WallTime now) { spent_.push_back(now); }
  // It had tripped before this daemon started, with this `reset`.
  void remember_trip(WallTime tripped, std::string_view reset);
  // Nothing it remembers matters any more.
  bool is_idle(const BudgetLimits& limits, WallTime now) const;

 private:
  std::deque<WallTime> spent_;
  std::optional<WallTime> tripped_;
  std::string reset_seen_;
};

}  // namespace flotilla::controllers
