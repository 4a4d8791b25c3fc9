// SPDX-License-Identifier: Apache-2.0
#include "core/async/fiber_scope.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

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
