// SPDX-License-Identifier: Apache-2.0
// Wakes the one fiber that waits, on the same strand: no lock, nothing is lost between looking and waiting
// because nobody else runs. Internal to core/http.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "core/http/wire.hpp"

namespace flotilla::http {

class StrandSignal {
 public:
  explicit StrandSignal(const AnyExecutor& strand) : timer_(strand) {
    timer_.expires_at(asio::steady_timer::time_point::max());
  }
  void notify() {
    set_ = true;
    timer_.cancel();
  }
  // Until the next notify(), at once if there was one since the last wait; also when the fiber is cancelled.
  Task<void> wait() {
    if (!set_) {
      auto waiting = timer_.async_wait(kAwaitTuple);
      co_await std::move(waiting);
    }
    set_ = false;
  }

 private:
  asio::steady_timer timer_;
  bool set_ = false;
};

}  // namespace flotilla::http
