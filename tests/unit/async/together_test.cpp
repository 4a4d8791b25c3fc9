// SPDX-License-Identifier: Apache-2.0
#include "core/async/together.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/async/event.hpp"
#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla {
namespace {

struct Count {
  std::atomic<int> running = 0, most = 0, ended = 0;
  Event began;
};

struct Inside {
  explicit Inside(Count& the_count) : count(the_count) {
    const int now = ++count.running;
    count.most = std::max(count.most.load(), now);
    count.began.notify();
  }
  ~Inside() {
    --count.running;
    ++count.ended;
  }
  Count& count;
};

Task<void> work(Count& count) {
  Inside inside(count);
  auto pausing = sleep_for(std::chrono::milliseconds(1));
  co_await std::move(pausing);
}

Task<void> stay(Count& count, Event& never) {
  Inside inside(count);
  for (;;) {
    auto waiting = never.wait_past(never.version());
    co_await std::move(waiting);
  }
}

Task<void> fail(Count& count) {
  Inside inside(count);
  throw std::runtime_error("on purpose");
  co_return;
}

Task<void> run_all(std::vector<Task<void>> pieces, std::size_t width, std::atomic<bool>& done) {
  auto running = run_together(std::move(pieces), width);
  co_await std::move(running);
  auto pausing = sleep_for(Duration(0));
  co_await std::move(pausing);
  done = true;
}

class Async_Together : public testing::Test {
 protected:
  SystemClock clock_;
  Executor executor_{clock_};
  FiberScope scope_{executor_.strand(), "test"};
  Count count_;
  Event never_;
  std::atomic<bool> done_ = false;
  std::vector<Task<void>> pieces_;
};

TEST_F(Async_Together, all_have_ended_and_never_more_than_so_many_run) {
  for (int i = 0; i < 20; ++i) pieces_.push_back(work(count_));
  scope_.spawn(run_all(std::move(pieces_), 3, done_));
  scope_.join_blocking();
  EXPECT_TRUE(done_);
  EXPECT_EQ(count_.ended, 20);
  EXPECT_EQ(count_.most, 3);
}

TEST_F(Async_Together, nothing_to_do_is_done) {
  scope_.spawn(run_all({}, 3, done_));
  scope_.join_blocking();
  EXPECT_TRUE(done_);
}

TEST_F(Async_Together, one_that_fails_ends_itself_and_its_turn) {
  pieces_.push_back(fail(count_));
  for (int i = 0; i < 5; ++i) pieces_.push_back(work(count_));
  scope_.spawn(run_all(std::move(pieces_), 2, done_));
  scope_.join_blocking();
  EXPECT_TRUE(done_);
  EXPECT_EQ(count_.ended, 6);
}

TEST_F(Async_Together, who_is_cancelled_takes_its_pieces_along) {
  for (int i = 0; i < 5; ++i) pieces_.push_back(stay(count_, never_));
  scope_.spawn(run_all(std::move(pieces_), 2, done_));
  while (count_.running < 2) std::this_thread::yield();
  scope_.cancel();
  scope_.join_blocking();
  EXPECT_FALSE(done_);
  EXPECT_EQ(count_.ended, 2);
}

}  // namespace
}  // namespace flotilla
