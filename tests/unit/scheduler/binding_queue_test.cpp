// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/binding_queue.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace flotilla::scheduler {
namespace {

using Queue = BindingQueue<std::string>;
using std::chrono::seconds;

SteadyTime at(int second) {
  return SteadyTime(seconds(second));
}

std::string taken(Queue& queue, int second) {
  return queue.take(at(second)).value_or("");
}

TEST(Scheduler_Queue, takes_by_priority_then_arrival) {
  Queue queue;
  queue.add("low", 0, true, at(0));
  queue.add("first", 5, true, at(0));
  queue.add("second", 5, true, at(0));
  queue.add("woken", 5, false, at(0));
  queue.add("third", 5, true, at(0));
  for (const char* key : {"first", "second", "third", "woken", "low", ""}) EXPECT_EQ(taken(queue, 0), key);
}

TEST(Scheduler_Queue, knows_no_priorities_without_the_gate) {
  Queue queue({.priorities = false});
  queue.add("low", 0, true, at(0));
  queue.add("high", 9, true, at(0));
  EXPECT_EQ(taken(queue, 0), "low");
  EXPECT_EQ(queue.failed("low", true, at(0)), seconds(1));  // nothing is parked either
}

TEST(Scheduler_Queue, holds_a_key_once_and_never_works_on_it_twice) {
  Queue queue;
  queue.add("a", 0, true, at(0));
  queue.add("a", 7, true, at(0));
  EXPECT_EQ(queue.active(), 1u);
  EXPECT_EQ(taken(queue, 0), "a");
  queue.add("a", 0, true, at(0));
  EXPECT_EQ(taken(queue, 0), "");
  queue.done("a", at(0));
  EXPECT_EQ(taken(queue, 0), "a");
  queue.done("a", at(0));
  EXPECT_EQ(taken(queue, 0), "");
  EXPECT_EQ(queue.in_work(), 0u);
}

TEST(Scheduler_Queue, ends_the_wait_of_what_it_waited_for) {
  Queue queue;
  queue.add("a", 0, true, at(0));
  queue.add("b", 0, true, at(0));
  taken(queue, 0);
  taken(queue, 0);
  queue.failed("a", false, at(0));
  queue.failed("b", true, at(0));
  EXPECT_FALSE(queue.wake("a", 0, at(0))) << "its back-off goes on";
  EXPECT_EQ(taken(queue, 0), "");
  EXPECT_TRUE(queue.wake("a", 0, at(0), true));
  EXPECT_TRUE(queue.wake("b", 0, at(0), true));
  EXPECT_EQ(taken(queue, 0), "a");
  EXPECT_EQ(taken(queue, 0), "b");
}

TEST(Scheduler_Queue, doubles_the_wait_and_forgets_it_when_the_binding_changes) {
  Queue queue;
  queue.add("a", 0, true, at(0));
  int second = 0;
  for (int wait : {1, 2, 4, 8, 10, 10}) {
    ASSERT_EQ(taken(queue, second), "a");
    EXPECT_EQ(queue.failed("a", false, at(second)), seconds(wait));
    EXPECT_EQ(taken(queue, second + wait - 1), "");
    second += wait;
  }
  queue.add("a", 0, true, at(second - 5));
  EXPECT_EQ(taken(queue, second - 5), "a");
  EXPECT_EQ(queue.failed("a", false, at(second)), seconds(1));
}

TEST(Scheduler_Queue, parks_what_has_no_room_until_something_helps) {
  Queue queue;
  queue.add("a", 0, true, at(0));
  ASSERT_EQ(taken(queue, 0), "a");
  queue.failed("a", true, at(0));
  EXPECT_EQ(queue.unschedulable(), 1u);
  EXPECT_EQ(taken(queue, 299), "");
  EXPECT_TRUE(queue.wake("a", 0, at(200)));
  EXPECT_EQ(taken(queue, 200), "a");
  queue.failed("a", true, at(200));
  EXPECT_EQ(taken(queue, 499), "");
  EXPECT_EQ(taken(queue, 500), "a");
}

TEST(Scheduler_Queue, wakes_not_before_the_back_off_is_over) {
  Queue queue;
  queue.add("a", 0, true, at(0));
  int second = 0;
  for (int wait : {1, 2, 4}) {
    ASSERT_EQ(taken(queue, second), "a");
    queue.failed("a", true, at(second));
    queue.wake("a", 0, at(second));
    EXPECT_EQ(queue.backoff(), 1u);
    EXPECT_EQ(queue.unschedulable(), 0u);
    EXPECT_EQ(taken(queue, second + wait - 1), "");
    second += wait;
  }
}

TEST(Scheduler_Queue, does_not_lose_a_wake_during_the_try) {
  Queue queue;
  queue.add("a", 0, true, at(0));
  ASSERT_EQ(taken(queue, 0), "a");
  EXPECT_TRUE(queue.wake("a", 0, at(0)));
  queue.failed("a", true, at(0));
  EXPECT_EQ(queue.unschedulable(), 0u);  // what it was decided over is old already
  EXPECT_EQ(taken(queue, 1), "a");
}

// Whatever happens: every key that is not gone comes up again once all waits are over, and never twice at
// once.
TEST(Scheduler_Queue, loses_nothing) {
  for (unsigned seed : {1u, 20260301u, 77u}) {
    std::mt19937 random(seed);
    Queue queue;
    std::set<std::string> pending, working;
    int second = 0;
    for (int step = 0; step < 5000; ++step) {
      const std::string key = "b" + std::to_string(random() % 20);
      second += static_cast<int>(random() % 2);
      switch (random() % 6) {
        case 0:
          queue.add(key, static_cast<std::int32_t>(random() % 3), random() % 2 == 0, at(second));
          pending.insert(key);
          break;
        case 1:
          if (queue.wake(key, 0, at(second))) pending.insert(key);
          break;
        case 2:
          queue.forget(key);
          if (!working.contains(key)) pending.erase(key);
          break;
        case 3:
        case 4:
          if (auto next = queue.take(at(second))) {
            ASSERT_TRUE(working.insert(*next).second) << *next;
          }
          break;
        default:
          if (working.contains(key)) {
            working.erase(key);
            if (random() % 2 == 0) {
              queue.failed(key, random() % 2 == 0, at(second));
              pending.insert(key);
            } else {
              queue.done(key, at(second));
              pending.erase(key);
              if (queue.active() + queue.backoff() + queue.unschedulable() > pending.size())
                pending.insert(key);  // it had changed meanwhile
            }
          }
      }
      ASSERT_EQ(queue.in_work(), working.size());
    }
    for (const std::string& key : working) queue.done(key, at(second));
    std::set<std::string> rest;
    while (auto next = queue.take(at(second + 1000))) {
      EXPECT_TRUE(rest.insert(*next).second);
      queue.done(*next, at(second + 1000));
    }
    for (const std::string& key : pending) {
      if (!working.contains(key)) EXPECT_TRUE(rest.contains(key)) << key << " seed " << seed;
    }
    EXPECT_EQ(queue.active() + queue.backoff() + queue.unschedulable() + queue.in_work(), 0u);
  }
}

}  // namespace
}  // namespace flotilla::scheduler
