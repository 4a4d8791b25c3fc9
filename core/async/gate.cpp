// SPDX-License-Identifier: Apache-2.0
#include "core/async/gate.hpp"

namespace flotilla {

bool Gate::take() {
  int free = free_.load();
  while (free > 0) {
    if (free_.compare_exchange_weak(free, free - 1)) return true;
  }
  return false;
}

void Gate::leave() {
  ++free_;
  left_.notify();
}

Task<Gate::Pass> Gate::enter() {
  for (;;) {
    const auto seen = left_.version();
    if (take()) co_return Pass(this);
    auto waiting = left_.wait_past(seen);
    const bool arrived = co_await std::move(waiting);
    if (!arrived) co_return Pass();
  }
}

}  // namespace flotilla
