// SPDX-License-Identifier: Apache-2.0
// How much a component may get wrong before it is left alone for a while.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"

namespace flotilla::plugin {

struct ErrorBudgetLimits {
  std::size_t faults = 20;                    // this many within
  Duration window = std::chrono::minutes(1);  // are too many; then it rests for
  Duration rest = std::chrono::seconds(30);   // and after that the next fault alone is too many
};

// Thread-safe; asking costs one load while nothing went wrong.
class ErrorBudget {
 public:
  explicit ErrorBudget(ErrorBudgetLimits limits) : limits_(limits) {}

  // True from the fault that was too many until the rest is over.
  bool resting(SteadyTime now) const;
  // True if this fault was one too many.
  bool spend(SteadyTime now, std::string_view what);
  std::string last_fault() const;

 private:
  const ErrorBudgetLimits limits_;
  std::atomic<SteadyTime::rep> rests_until_{SteadyTime::min().time_since_epoch().count()};
  mutable std::mutex mutex_;  // all below
  std::deque<SteadyTime> faults_;
  std::string last_;
};

}  // namespace flotilla::plugin
