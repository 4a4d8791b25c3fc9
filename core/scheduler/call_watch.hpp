// SPDX-License-Identifier: Apache-2.0
// Which policy a thread that decides is in, for whoever waits for the decision: the code of others may never
// return. Who decides enters before each call and leaves after it; who waits looks from another thread, may
// ask the call to end, and gives it up when it does not. What was given up must touch nothing that others
// share from then on: its decision ends at once, and is of no use.
#pragma once

#include <atomic>
#include <cstdint>

namespace flotilla::scheduler {

class Policy;

// Thread: enter() and leave() by the one that decides, the rest by the one that waits.
class CallWatch {
 public:
  // False: given up; the call must not be made.
  bool enter(const Policy& policy, std::uint32_t step) {
    policy_.store(&policy, std::memory_order_relaxed);
    step_.store(step, std::memory_order_relaxed);
    cancelled_.store(0, std::memory_order_relaxed);
    return move_on();
  }
  // False: given up while it was inside.
  bool leave() { return move_on(); }
  bool given_up() const { return (state_.load(std::memory_order_acquire) & kGivenUp) != 0; }
  // What a call polls: not 0 once it is asked to end.
  const std::int32_t* cancelled() const {
    static_assert(sizeof(std::atomic<std::int32_t>) == sizeof(std::int32_t));
    return reinterpret_cast<const std::int32_t*>(&cancelled_);
  }

  struct Place {
    std::uint64_t state = 0;
    const Policy* policy = nullptr;  // of the last call
    std::uint32_t step = 0;          // k…Step of policy.hpp
    bool inside() const { return (state & 1) != 0; }
    bool operator==(const Place&) const = default;
  };
  Place look() const {
    Place place;
    place.state = state_.load(std::memory_order_acquire);
    place.policy = policy_.load(std::memory_order_relaxed);
    place.step = step_.load(std::memory_order_relaxed);
    return place;
  }
  void ask_to_end() { cancelled_.store(1, std::memory_order_relaxed); }
  // True: it was still in that very call, and is given up.
  bool give_up(const Place& place) {
    std::uint64_t state = place.state;
    return place.inside() && state_.compare_exchange_strong(state, state | kGivenUp);
  }

 private:
  static constexpr std::uint64_t kGivenUp = std::uint64_t{1} << 63;

  bool move_on() {
    std::uint64_t state = state_.load(std::memory_order_relaxed);
    return (state & kGivenUp) == 0 && state_.compare_exchange_strong(state, state + 1);
  }

  std::atomic<std::uint64_t> state_{0};  // calls entered and left: odd inside
  std::atomic<const Policy*> policy_{nullptr};
  std::atomic<std::uint32_t> step_{0};
  std::atomic<std::int32_t> cancelled_{0};
};

}  // namespace flotilla::scheduler
