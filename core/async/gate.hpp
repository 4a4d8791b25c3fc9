// SPDX-License-Identifier: Apache-2.0
// Lets so many fibers through at a time; the others wait without holding a thread.
//
//   auto entering = gate.enter();
//   const Gate::Pass pass = co_await std::move(entering);   // until it is destroyed
//
// Thread: all from any thread. The gate outlives its passes.
#pragma once

#include <atomic>
#include <utility>

#include "core/async/event.hpp"
#include "core/async/task.hpp"

namespace flotilla {

class Gate {
 public:
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }
    // False when the fiber was cancelled while it waited.
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class Gate;
    explicit Pass(Gate* gate) : gate_(gate) {}
    Gate* gate_ = nullptr;
  };

  explicit Gate(int width) : free_(width) {}

  Task<Pass> enter();

 private:
  bool take();
  void leave();

  std::atomic<int> free_;
  Event left_;
};

}  // namespace flotilla
