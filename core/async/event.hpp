// SPDX-License-Identifier: Apache-2.0
// A version counter that coroutines wait on: nothing is lost between looking and waiting.
//
//   for (;;) {
//     const auto seen = event.version();
//     if (condition holds) break;
//     auto waiting = event.wait_past(seen);
//     co_await std::move(waiting);
//   }
//
// Thread: all from any thread. A waiter resumes on its own executor. Cancellation of the fiber ends the wait.
#pragma once

#include <cstdint>
#include <memory>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"

namespace flotilla {

class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  std::uint64_t version() const;
  void notify();  // version + 1; wakes all waiters
  // True once version() > seen; false when the fiber was cancelled.
  Task<bool> wait_past(std::uint64_t seen);
  // The same with a bound of real time; false when it passed or the fiber was cancelled.
  Task<bool> wait_past_for(std::uint64_t seen, Duration timeout);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace flotilla
