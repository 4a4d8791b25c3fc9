// SPDX-License-Identifier: Apache-2.0
#include "core/async/gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla::test {
namespace {

struct Crowd {
  Gate gate{2};
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> passed = 0;
};

Task<void> visit(std::shared_ptr<Crowd> crowd) {
  auto entering = crowd->gate.enter();
  const Gate::Pass pass = co_await std::move(entering);
  if (!pass) co_return;
  const int now = ++crowd->inside;
  int most = crowd->most;
  while (now > most && !crowd->most.compare_exchange_weak(most, now)) {
  }
  auto resting = sleep_for(std::chrono::milliseconds(1));
  co_await std::move(resting);
  --crowd->inside;
  ++crowd->passed;
}

TEST(Async_Gate, lets_so_many_through_at_a_time_and_all_in_the_end) {
  SystemClock clock;
  Executor executor(clock);
  auto crowd = std::make_shared<Crowd>();
  FiberScope scope(executor.strand(), "visitors");
  for (int i = 0; i < 40; ++i) scope.spawn(visit(crowd));
  scope.join_blocking();
  EXPECT_EQ(crowd->passed, 40);
  EXPECT_EQ(crowd->most, 2);
}

Task<void> stay(std::shared_ptr<Crowd> crowd) {
  auto entering = crowd->gate.enter();
  const Gate::Pass pass = co_await std::move(entering);
  auto resting = sleep_for(std::chrono::hours(1));
  co_await std::move(resting);
}

TEST(Async_Gate, is_left_by_those_that_are_cancelled) {
  SystemClock clock;
  Executor executor(clock);
  auto crowd = std::make_shared<Crowd>();
  FiberScope first(executor.strand(), "first");
  for (int i = 0; i < 5; ++i) first.spawn(stay(crowd));
  first.cancel();
  first.join_blocking();
  FiberScope second(executor.strand(), "second");
  second.spawn(visit(crowd));
  second.join_blocking();
  EXPECT_EQ(crowd->passed, 1);
}

}  // namespace
}  // namespace flotilla::test
