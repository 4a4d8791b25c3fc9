// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/webster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace flotilla::scheduler {
namespace {

using ::testing::ElementsAre;

std::vector<std::int32_t> seats(std::vector<Party> parties, std::int64_t count, bool prefer_last = false) {
  apportion(parties, count, prefer_last);
  std::vector<std::int32_t> given;
  for (const Party& party : parties) given.push_back(party.seats);
  return given;
}

// The rule itself: one seat after the other.
void give_one_by_one(std::vector<Party>& parties, std::int64_t count, bool prefer_last) {
  for (; count > 0; --count) {
    Party* best = nullptr;
    double most = 0;
    for (Party& party : parties) {
      if (party.votes <= 0) continue;
      double claim =
          static_cast<double>(party.votes) / static_cast<double>(2 * std::int64_t{party.seats} + 1);
      bool better =
          best == nullptr || claim > most ||
          (claim == most && (party.seats < best->seats || (party.seats == best->seats && prefer_last)));
      if (better) {
        best = &party;
        most = claim;
      }
    }
    if (best == nullptr) return;
    ++best->seats;
  }
}

TEST(Scheduler_Webster, gives_seats_in_proportion) {
  EXPECT_THAT(seats({{100000, 0}, {80000, 0}, {30000, 0}, {20000, 0}}, 8), ElementsAre(3, 3, 1, 1));
  EXPECT_THAT(seats({{1200, 0}, {900, 0}, {400, 0}}, 4), ElementsAre(2, 1, 1));
  EXPECT_THAT(seats({{3, 0}, {2, 0}, {1, 0}}, 14), ElementsAre(7, 5, 2));
}

TEST(Scheduler_Webster, counts_the_seats_a_party_starts_with) {
  EXPECT_THAT(seats({{3, 1}, {1, 0}}, 1), ElementsAre(1, 1));
  EXPECT_THAT(seats({{1, 0}, {1, 1}}, 2), ElementsAre(2, 1));
}

TEST(Scheduler_Webster, breaks_ties_by_position_as_the_uid_says) {
  EXPECT_THAT(seats({{1, 0}, {1, 0}}, 1, false), ElementsAre(1, 0));
  EXPECT_THAT(seats({{1, 0}, {1, 0}}, 1, true), ElementsAre(0, 1));
  EXPECT_FALSE(prefers_last(""));
}

TEST(Scheduler_Webster, gives_nothing_without_votes) {
  EXPECT_THAT(seats({{0, 0}, {0, 2}}, 5), ElementsAre(0, 2));
  EXPECT_THAT(seats({{0, 0}, {1, 0}}, 5), ElementsAre(0, 5));
}

TEST(Scheduler_Webster, agrees_with_giving_one_seat_after_the_other) {
  std::mt19937 random(42);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Party> parties(1 + random() % 9);
    bool even = random() % 4 == 0;
    for (Party& party : parties) {
      party.votes = even ? 5 : random() % (random() % 2 == 0 ? 6 : 3000);
      party.seats = random() % 3 == 0 ? static_cast<std::int32_t>(random() % 20) : 0;
    }
    std::int64_t count = random() % (round % 2 == 0 ? 20 : 500);
    bool prefer_last = random() % 2 == 0;
    std::vector<Party> expected = parties;
    give_one_by_one(expected, count, prefer_last);
    apportion(parties, count, prefer_last);
    for (std::size_t i = 0; i < parties.size(); ++i) ASSERT_EQ(parties[i].seats, expected[i].seats) << round;
  }
}

}  // namespace
}  // namespace flotilla::scheduler
