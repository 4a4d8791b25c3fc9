// SPDX-License-Identifier: Apache-2.0
#include "core/async/attended.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "core/async/event.hpp"
#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla {
namespace {

using std::chrono::milliseconds;

struct Work {
  std::atomic<bool> began = false, gone = false;
  std::atomic<int> asked = 0;
  std::atomic<int> answer = -1;  // of run_attended
  std::atomic<bool> over = false;
  Event changed;

  void end() {
    over = true;
    changed.notify();
  }
};

struct Inside {
  explicit Inside(Work& the_work) : work(the_work) { work.began = true; }
  ~Inside() { work.gone = true; }
  Work& work;
};

Task<void> stay(Work& work) {
  Inside inside(work);
  for (;;) {
    const std::uint64_t seen = work.changed.version();
    if (work.over) co_return;
    auto waiting = work.changed.wait_past(seen);
    co_await std::move(waiting);
  }
}

// Yes so many times; the last yes ends the work.
Task<bool> allow(Work& work, int times, bool ends) {
  const int asked = ++work.asked;
  if (ends && asked == times) work.end();
  co_return asked <= times;
}

Task<void> attend(Work& work, int times, bool ends) {
  std::function<Task<bool>()> go_on = [&work, times, ends] { return allow(work, times, ends); };
  auto running = run_attended(stay(work), milliseconds(1), std::move(go_on));
  work.answer = co_await std::move(running) ? 1 : 0;
}

Task<void> limit(Work& work, Duration to) {
  auto running = run_within(stay(work), to);
  work.answer = co_await std::move(running) ? 1 : 0;
}

class Async_Attended : public testing::Test {
 protected:
  SystemClock clock_;
  Executor executor_{clock_};
  FiberScope scope_{executor_.strand(), "test"};
  Work work_;
};

TEST_F(Async_Attended, who_may_go_on_comes_to_the_end) {
  scope_.spawn(attend(work_, 3, true));
  scope_.join_blocking();
  EXPECT_EQ(work_.answer, 1);
  EXPECT_TRUE(work_.gone);
  EXPECT_GE(work_.asked, 3);
}

TEST_F(Async_Attended, a_no_cancels_and_nothing_runs_any_more) {
  scope_.spawn(attend(work_, 2, false));
  scope_.join_blocking();
  EXPECT_EQ(work_.answer, 0);
  EXPECT_TRUE(work_.gone);
  EXPECT_EQ(work_.asked, 3);
}

TEST_F(Async_Attended, work_within_its_limit_is_not_asked_about) {
  work_.end();
  scope_.spawn(limit(work_, std::chrono::seconds(60)));
  scope_.join_blocking();
  EXPECT_EQ(work_.answer, 1);
}

TEST_F(Async_Attended, work_beyond_its_limit_is_cancelled) {
  scope_.spawn(limit(work_, milliseconds(1)));
  scope_.join_blocking();
  EXPECT_EQ(work_.answer, 0);
  EXPECT_TRUE(work_.gone);
}

TEST_F(Async_Attended, who_is_cancelled_takes_the_work_along) {
  scope_.spawn(limit(work_, std::chrono::seconds(60)));
  while (!work_.began) std::this_thread::yield();
  scope_.cancel();
  scope_.join_blocking();
  EXPECT_TRUE(work_.gone);
  EXPECT_NE(work_.answer, 1);
}

}  // namespace
}  // namespace flotilla
