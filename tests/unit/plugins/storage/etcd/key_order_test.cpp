// SPDX-License-Identifier: Apache-2.0
#include "plugins/storage/etcd/key_order.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <random>
#include <thread>

namespace flotilla::plugins::storage::etcd {
namespace {

class Etcd_KeyOrder : public testing::Test {
 protected:
  void enter(const std::string& name, std::vector<std::string> reads, std::vector<std::string> writes) {
    order_.enter({std::move(reads), std::move(writes)}, [this, name](KeyOrder::TicketPtr ticket) {
      started_ += name;
      tickets_[name] = std::move(ticket);
    });
  }
  void leave(const std::string& name) { order_.leave(tickets_.at(name)); }

  KeyOrder order_;
  std::string started_;
  std::map<std::string, KeyOrder::TicketPtr> tickets_;
};

TEST_F(Etcd_KeyOrder, other_keys_do_not_wait) {
  enter("a", {}, {"x"});
  enter("b", {}, {"y"});
  EXPECT_EQ(started_, "ab");
}

TEST_F(Etcd_KeyOrder, writers_of_one_key_start_in_their_order) {
  enter("a", {}, {"x"});
  enter("b", {}, {"x"});
  enter("c", {}, {"x"});
  EXPECT_EQ(started_, "a");
  leave("a");
  EXPECT_EQ(started_, "ab");
  leave("b");
  EXPECT_EQ(started_, "abc");
}

TEST_F(Etcd_KeyOrder, a_key_that_all_guard_holds_nobody_up) {
  enter("a", {"fence"}, {"x"});
  enter("b", {"fence"}, {"y"});
  EXPECT_EQ(started_, "ab");
  enter("c", {}, {"fence"});
  enter("d", {"fence"}, {"z"});
  EXPECT_EQ(started_, "ab") << "who reads behind a waiting writer waits too";
  leave("a");
  EXPECT_EQ(started_, "ab");
  leave("b");
  EXPECT_EQ(started_, "abc");
  leave("c");
  EXPECT_EQ(started_, "abcd");
}

TEST_F(Etcd_KeyOrder, a_commit_waits_for_all_its_keys) {
  enter("a", {}, {"x"});
  enter("b", {}, {"y"});
  enter("c", {"x", "x"}, {"y", "z"});
  enter("d", {}, {"z"});
  leave("b");
  EXPECT_EQ(started_, "ab");
  leave("a");
  EXPECT_EQ(started_, "abc");
  leave("c");
  EXPECT_EQ(started_, "abcd");
}

TEST_F(Etcd_KeyOrder, a_guard_on_what_is_written_is_one_key) {
  enter("a", {"x"}, {"x"});
  EXPECT_EQ(started_, "a");
  leave("a");
  enter("b", {"x"}, {"x"});
  EXPECT_EQ(started_, "ab");
}

TEST_F(Etcd_KeyOrder, a_long_line_of_those_that_end_at_once_does_not_nest) {
  enter("a", {}, {"x"});
  int ended = 0;
  for (int i = 0; i < 200'000; ++i) {
    order_.enter({{}, {"x"}}, [&](KeyOrder::TicketPtr ticket) {
      ++ended;
      order_.leave(ticket);
    });
  }
  leave("a");
  EXPECT_EQ(ended, 200'000);
}

TEST(Etcd_KeyOrder_Threads, a_key_is_never_written_twice_at_a_time_and_everybody_gets_on) {
  KeyOrder order;
  constexpr int kKeys = 6;
  constexpr int kEach = 400;
  std::array<std::atomic<int>, kKeys> writers{};
  std::atomic<int> done{0};
  std::atomic<bool> broken{false};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < kEach; ++i) {
        const auto read = random() % kKeys;
        const auto write = random() % kKeys;
        order.enter({{std::to_string(read)}, {std::to_string(write)}},
                    [&, read, write](KeyOrder::TicketPtr ticket) {
                      if (writers[write].fetch_add(1) != 0) broken = true;
                      if (read != write && writers[read] != 0) broken = true;
                      if (done % 16 == 0) std::this_thread::yield();
                      --writers[write];
                      ++done;
                      order.leave(ticket);
                    });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 4 * kEach);
  EXPECT_FALSE(broken);
}

}  // namespace
}  // namespace flotilla::plugins::storage::etcd
