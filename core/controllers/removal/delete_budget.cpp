// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/removal/delete_budget.hpp"

namespace flotilla::controllers {

DeleteBudget::Answer DeleteBudget::ask(const BudgetLimits& limits, std::string_view reset,
                                       const std::function<std::int64_t()>& works_left, WallTime now) {
  Answer answer;
  if (tripped_) {
    const Duration left = *tripped_ + limits.window - now;
    if (left > Duration::zero() && reset == reset_seen_) return {false, false, false, left};
    answer.closed_now = left > Duration::zero();
    tripped_.reset();
    spent_.clear();
  }
  while (!spent_.empty() && spent_.front() + limits.window <= now) spent_.pop_front();
  const auto spent = static_cast<std::int64_t>(spent_.size());
  if (limits.removals <= 0 || spent < limits.removals) return answer;
  const auto there = static_cast<double>(spent + works_left());
  if (static_cast<double>(spent + 1) <= limits.share * there) return answer;
  tripped_ = now;
  reset_seen_ = reset;
  return {false, true, false, limits.window};
}

void DeleteBudget::remember_trip(WallTime tripped, std::string_view reset) {
  tripped_ = tripped;
  reset_seen_ = reset;
}

bool DeleteBudget::is_idle(const BudgetLimits& limits, WallTime now) const {
  const bool open = !tripped_ || *tripped_ + limits.window <= now;
  return open && (spent_.empty() || spent_.back() + limits.window <= now);
}

}  // namespace flotilla::controllers
