// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/error_budget.hpp"

namespace flotilla::plugin {

bool ErrorBudget::resting(SteadyTime now) const {
  return now.time_since_epoch().count() < rests_until_.load(std::memory_order_relaxed);
}

bool ErrorBudget::spend(SteadyTime now, std::string_view what) {
  const std::lock_guard lock(mutex_);
  last_ = what;
  while (!faults_.empty() && now - faults_.front() > limits_.window) faults_.pop_front();
  faults_.push_back(now);
  if (faults_.size() < limits_.faults) return false;
  faults_.pop_front();  // one more after the rest is too many again
  const SteadyTime until = now + std::chrono::duration_cast<SteadyTime::duration>(limits_.rest);
  rests_until_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
  return true;
}

std::string ErrorBudget::last_fault() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace flotilla::plugin
