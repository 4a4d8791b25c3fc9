// SPDX-License-Identifier: Apache-2.0
#include "core/async/fiber_scope.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/async/event.hpp"
#include "core/async/executor.hpp"

namespace flotilla {
namespace {

Task<void> wait_for_ever(Event& event, std::atomic<int>& begun, std::atomic<int>& ended) {
  struct Ends {
    std::atomic<int>& count;
    ~Ends() { ++count; }
  } ends{ended};
  ++begun;
  const auto seen = event.version();
  for (;;) {
    auto waiting = event.wait_past(seen);
    co_await std::move(waiting);
  }
}

Task<void> fail() {
  throw std::runtime_error("on purpose");
  co_return;
}

Task<void> wait_past(Event& event, std::uint64_t seen, std::atomic<bool>& woken) {
  auto waiting = event.wait_past(seen);
  woken = co_await std::move(waiting);
}

TEST(Async_FiberScope, cancel_ends_every_fiber_and_refuses_new_ones) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope scope(executor.strand(), "test");
  Event event;
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(scope.spawn_on(executor.strand(), wait_for_ever(event, begun, ended)));
  scope.cancel();
  scope.join_blocking();
  EXPECT_EQ(begun, ended);
  EXPECT_EQ(scope.running(), 0u);
  EXPECT_FALSE(scope.spawn(wait_for_ever(event, begun, ended)));
}

TEST(Async_FiberScope, an_exception_ends_its_fiber_alone) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope scope(executor.strand(), "test");
  scope.spawn(fail());
  scope.join_blocking();
  EXPECT_TRUE(scope.spawn(fail()));
  scope.join_blocking();
}

TEST(Async_Event, wakes_those_who_looked_before_the_change) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope scope(executor.strand(), "test");
  Event event;
  const auto seen = event.version();
  std::atomic<bool> woken = false;
  event.notify();
  scope.spawn(wait_past(event, seen, woken));
  scope.join_blocking();
  EXPECT_TRUE(woken);
}

struct Outcomes {
  std::mutex mutex;
  std::vector<std::pair<int, bool>> seen;  // who, and whether the event came
  void add(int who, bool came) {
    std::lock_guard lock(mutex);
    seen.emplace_back(who, came);
  }
};

Task<void> wait_for(Event& event, std::uint64_t seen, Duration timeout, int who, Outcomes& outcomes,
                    std::atomic<int>& begun) {
  ++begun;
  auto waiting = event.wait_past_for(seen, timeout);
  outcomes.add(who, co_await std::move(waiting));
}

Task<void> notify(Event& event) {
  event.notify();
  co_return;
}

TEST(Async_Event, wakes_in_the_order_they_came) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope scope(executor.strand(), "test");
  Event event;
  Outcomes outcomes;
  std::atomic<int> begun = 0;
  const auto seen = event.version();
  for (int i = 0; i < 5; ++i)
    scope.spawn(wait_for(event, seen, std::chrono::hours(i % 2 + 1), i, outcomes, begun));
  scope.spawn(notify(event));
  scope.join_blocking();
  const std::vector<std::pair<int, bool>> wanted{{0, true}, {1, true}, {2, true}, {3, true}, {4, true}};
  EXPECT_EQ(outcomes.seen, wanted);
}

TEST(Async_Event, a_time_that_passes_wakes_only_whose_it_is) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope scope(executor.strand(), "test");
  Event event;
  Outcomes outcomes;
  std::atomic<int> begun = 0;
  const auto seen = event.version();
  FiberScope patient(executor.strand(), "patient");
  patient.spawn(wait_for(event, seen, std::chrono::hours(1), 0, outcomes, begun));
  // The later one first, so that the alarm has to be set again, earlier and later.
  scope.spawn(wait_for(event, seen, std::chrono::milliseconds(30), 2, outcomes, begun));
  scope.spawn(wait_for(event, seen, std::chrono::milliseconds(5), 1, outcomes, begun));
  scope.join_blocking();
  const std::vector<std::pair<int, bool>> timed_out{{1, false}, {2, false}};
  EXPECT_EQ(outcomes.seen, timed_out);
  event.notify();
  patient.join_blocking();
  EXPECT_EQ(outcomes.seen.back(), std::make_pair(0, true));
}

Task<void> wait_twice(Event& event, Outcomes& outcomes) {
  // The first wait leaves its alarm set; the second, which is shorter, must not wait for it.
  const auto seen = event.version();
  event.notify();
  auto first = event.wait_past_for(seen, std::chrono::hours(1));
  outcomes.add(1, co_await std::move(first));
  auto second = event.wait_past_for(event.version(), std::chrono::milliseconds(5));
  outcomes.add(2, co_await std::move(second));
  auto third = event.wait_past_for(event.version(), Duration(0));
  outcomes.add(3, co_await std::move(third));
}

TEST(Async_Event, waits_again_for_less) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope scope(executor.strand(), "test");
  Event event;
  Outcomes outcomes;
  scope.spawn(wait_twice(event, outcomes));
  scope.join_blocking();
  const std::vector<std::pair<int, bool>> wanted{{1, true}, {2, false}, {3, false}};
  EXPECT_EQ(outcomes.seen, wanted);
}

TEST(Async_Event, cancelling_one_fiber_leaves_the_others_waiting) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope others(executor.strand(), "others");
  FiberScope scope(executor.strand(), "test");
  Event event;
  Outcomes outcomes;
  std::atomic<int> begun = 0;
  const auto seen = event.version();
  others.spawn(wait_for(event, seen, Duration::max(), 1, outcomes, begun));
  scope.spawn(wait_for(event, seen, Duration::max(), 0, outcomes, begun));
  others.spawn(wait_for(event, seen, std::chrono::hours(1), 2, outcomes, begun));
  scope.cancel();
  scope.join_blocking();
  EXPECT_EQ(others.running(), 2u);
  event.notify();
  others.join_blocking();
  for (const auto& [who, came] : outcomes.seen) EXPECT_EQ(came, who != 0) << who;
}

// Many wake and many wait, on two threads: nothing is lost, which would hang, and nobody is resumed twice.
Task<void> count_to(Event& own, Event& other, std::atomic<int>& value, int parity, int last) {
  for (;;) {
    const auto seen = own.version();
    const int now = value;
    if (now >= last) break;
    if (now % 2 == parity) {
      ++value;
      other.notify();
      continue;
    }
    auto waiting = own.wait_past_for(seen, std::chrono::minutes(1));
    co_await std::move(waiting);
  }
  other.notify();
}

TEST(Async_Event, loses_nothing_between_two_threads) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope scope(executor.strand(), "test");
  struct Pair {
    Event even, odd;
    std::atomic<int> value = 0;
  };
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 8; ++i) {
    Pair& pair = *pairs.emplace_back(std::make_unique<Pair>());
    scope.spawn_on(executor.strand(), count_to(pair.even, pair.odd, pair.value, 0, 2000));
    scope.spawn_on(executor.strand(), count_to(pair.odd, pair.even, pair.value, 1, 2000));
  }
  scope.join_blocking();
  for (const auto& pair : pairs) EXPECT_EQ(pair->value, 2000);
}

TEST(Async_Executor, blocking_work_resumes_its_fiber) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope scope(executor.strand(), "test");
  std::atomic<int> done = 0;
  for (int i = 0; i < 20; ++i) {
    scope.spawn_on(executor.strand(), run_blocking(executor, [&done] { ++done; }));
  }
  scope.join_blocking();
  EXPECT_EQ(done, 20);
}

}  // namespace
}  // namespace flotilla
