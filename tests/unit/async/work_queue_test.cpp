// SPDX-License-Identifier: Apache-2.0
#include "core/async/work_queue.hpp"

#include <gtest/gtest.h>

#include <future>
#include <string>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla {
namespace {

using Queue = WorkQueue<std::string>;

Task<void> take_one(Queue& queue, std::promise<std::optional<std::string>>& taken) {
  auto waiting = queue.next();
  taken.set_value(co_await std::move(waiting));
}

class Async_WorkQueue : public ::testing::Test {
 protected:
  ~Async_WorkQueue() override {
    queue.shut_down();
    scope.cancel();
    scope.join_blocking();
  }

  std::optional<std::string> next() {
    std::promise<std::optional<std::string>> taken;
    auto answer = taken.get_future();
    scope.spawn(take_one(queue, taken));
    return answer.get();
  }

  SystemClock clock;
  Executor executor{clock};
  FiberScope scope{executor.strand(), "test"};
  Queue queue{clock};
};

TEST_F(Async_WorkQueue, hands_out_a_key_once_however_often_it_was_added) {
  queue.add("a");
  queue.add("a");
  queue.add("b");
  EXPECT_EQ(next(), "a");
  EXPECT_EQ(next(), "b");
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(Async_WorkQueue, a_key_added_while_in_work_is_due_again_when_done) {
  queue.add("a");
  EXPECT_EQ(next(), "a");
  queue.add("a");
  EXPECT_EQ(queue.size(), 0u);
  queue.done("a");
  EXPECT_EQ(next(), "a");
  queue.done("a");
  EXPECT_TRUE(queue.idle());
}

TEST_F(Async_WorkQueue, higher_priority_goes_first) {
  queue.add("low", -100);
  queue.add("high");
  EXPECT_EQ(next(), "high");
  EXPECT_EQ(next(), "low");
}

TEST_F(Async_WorkQueue, a_delayed_key_comes_when_due_and_wakes_the_waiter) {
  queue.add_after("later", std::chrono::milliseconds(20));
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(next(), "later");
}

TEST_F(Async_WorkQueue, shutting_down_wakes_waiters_with_nothing) {
  std::promise<std::optional<std::string>> taken;
  auto answer = taken.get_future();
  scope.spawn(take_one(queue, taken));
  queue.shut_down();
  EXPECT_EQ(answer.get(), std::nullopt);
}

TEST_F(Async_WorkQueue, a_key_that_becomes_urgent_moves_ahead) {
  queue.add("first", -1);
  queue.add("second", -1);
  queue.add("second", 0);
  EXPECT_EQ(next(), "second");
  EXPECT_EQ(next(), "first");
}

TEST_F(Async_WorkQueue, background_keys_wait_while_others_have_much_to_do) {
  auto congestion = std::make_shared<Congestion>();
  queue.share(congestion);
  congestion->urgent = Congestion::kMuch + 1;
  queue.add("background", -1);
  std::promise<std::optional<std::string>> taken;
  auto answer = taken.get_future();
  scope.spawn(take_one(queue, taken));
  queue.add("now");
  EXPECT_EQ(answer.get(), "now");
  // Slowly they go on even so.
  EXPECT_EQ(next(), "background");
}

TEST_F(Async_WorkQueue, congestion_counts_urgent_keys_that_wait) {
  auto congestion = std::make_shared<Congestion>();
  queue.share(congestion);
  queue.add("background", -1);
  queue.add("a");
  queue.add("b");
  EXPECT_EQ(congestion->urgent, 2);
  queue.add("background", 0);
  EXPECT_EQ(congestion->urgent, 3);
  EXPECT_EQ(next(), "a");
  queue.add("a");
  EXPECT_EQ(congestion->urgent, 2) << "what is in work does not wait";
  queue.done("a");
  EXPECT_EQ(congestion->urgent, 3);
  queue.shut_down();
  EXPECT_EQ(congestion->urgent, 0);
}

}  // namespace
}  // namespace flotilla
