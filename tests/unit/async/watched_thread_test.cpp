// SPDX-License-Identifier: Apache-2.0
#include "core/async/watched_thread.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace flotilla {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Errand final : WatchedThread::Work {
  explicit Errand(bool hangs = false) : hanging(hangs) {}
  void run() override {
    while (hanging) std::this_thread::sleep_for(milliseconds(1));
    where = std::this_thread::get_id();
  }
  void ended() override { told = done(); }
  std::atomic<bool> hanging;
  std::atomic<bool> told{false};
  std::thread::id where;
};

TEST(Async_WatchedThread, does_one_work_after_the_other) {
  WatchedThread thread;
  std::thread::id first;
  for (int i = 0; i < 100; ++i) {
    auto work = std::make_shared<Errand>();
    ASSERT_TRUE(thread.begin(work));
    ASSERT_TRUE(thread.wait(seconds(10)));
    EXPECT_TRUE(work->done());
    EXPECT_TRUE(work->told);
    if (i == 0) first = work->where;
    EXPECT_EQ(work->where, first);
  }
}

// Who looks at done() gives the next while the thread is not quite through with the last.
TEST(Async_WatchedThread, leaves_a_thread_that_was_given_work_at_once) {
  for (int round = 0; round < 200; ++round) {
    WatchedThread thread;
    auto first = std::make_shared<Errand>();
    ASSERT_TRUE(thread.begin(first));
    while (!first->done()) {
    }
    auto hanging = std::make_shared<Errand>(true);
    ASSERT_TRUE(thread.begin(hanging));
    while (hanging.use_count() == 1) std::this_thread::yield();
    thread.leave();
    EXPECT_EQ(thread.left(), 1);
    hanging->hanging = false;
    while (thread.left() != 0) std::this_thread::yield();
  }
}

TEST(Async_WatchedThread, leaves_a_thread_to_work_that_does_not_end) {
  WatchedThread thread;
  auto work = std::make_shared<Errand>(true);
  ASSERT_TRUE(thread.begin(work));
  EXPECT_FALSE(thread.wait(milliseconds(5)));
  thread.leave();
  EXPECT_EQ(thread.left(), 1);
  auto next = std::make_shared<Errand>();
  ASSERT_TRUE(thread.begin(next));
  EXPECT_TRUE(thread.wait(seconds(10)));
  EXPECT_FALSE(work->done());
  work->hanging = false;
  while (thread.left() != 0) std::this_thread::yield();
  EXPECT_TRUE(work->done());
}

TEST(Async_WatchedThread, leaves_so_many_and_no_more) {
  WatchedThread thread;
  std::vector<std::shared_ptr<Errand>> hanging;
  for (int i = 0; i < WatchedThread::kMostLeft; ++i) {
    hanging.push_back(std::make_shared<Errand>(true));
    ASSERT_TRUE(thread.begin(hanging.back()));
    thread.leave();
  }
  EXPECT_FALSE(thread.begin(std::make_shared<Errand>()));
  for (const auto& work : hanging) work->hanging = false;
  while (thread.left() != 0) std::this_thread::yield();
  EXPECT_TRUE(thread.begin(std::make_shared<Errand>()));
  EXPECT_TRUE(thread.wait(seconds(10)));
}

TEST(Async_WatchedThread, goes_while_its_work_hangs) {
  auto work = std::make_shared<Errand>(true);
  {
    WatchedThread thread;
    ASSERT_TRUE(thread.begin(work));
  }
  EXPECT_FALSE(work->done());
  work->hanging = false;
  while (work.use_count() != 1) std::this_thread::yield();
}

}  // namespace
}  // namespace flotilla
