// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/candidates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <flotilla/sdk/order.hpp>
#include <random>

namespace flotilla::scheduler {
namespace {

TEST(Scheduler_Candidates, are_ordered_by_tier_score_room_and_name) {
  std::mt19937 random(7);
  for (std::size_t size : {0u, 1u, 5u, 63u, 64u, 500u, 3000u}) {
    std::vector<Candidate> candidates;
    for (Row row = 0; row < size; ++row) {
      Candidate candidate{row};
      candidate.overflow_order = random() % 3 == 0 ? 1000 : static_cast<std::int32_t>(random() % 3);
      candidate.score = random() % 2 == 0 ? 100 : 0;
      candidate.available = random() % 5 == 0 ? INT64_C(1) << 33 : random() % 50;
      candidates.push_back(candidate);
    }
    std::vector<Candidate> expected = candidates;
    std::stable_sort(expected.begin(), expected.end(), [](const Candidate& a, const Candidate& b) {
      if (a.overflow_order != b.overflow_order) return a.overflow_order < b.overflow_order;
      if (a.score != b.score) return a.score > b.score;
      return a.available > b.available;
    });
    order_candidates(candidates);
    ASSERT_EQ(candidates.size(), expected.size());
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(candidates[i].row, expected[i].row) << size;
  }
}

TEST(Scheduler_Candidates, keep_their_order_where_keys_are_equal) {
  std::vector<std::int64_t> keys(100, 4);
  keys[50] = -3;
  keys[70] = 9;
  std::vector<std::uint32_t> order = sdk::descending(keys);
  EXPECT_EQ(order[0], 70u);
  EXPECT_EQ(order[1], 0u);
  EXPECT_EQ(order[51], 51u);
  EXPECT_EQ(order[99], 50u);
}

}  // namespace
}  // namespace flotilla::scheduler
