// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/removal/delete_budget.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const BudgetLimits kLimits{3, 0.5, minutes(10)};

class Removal_Budget : public testing::Test {
 protected:
  bool remove(std::int64_t left, std::string_view reset = "") {
    const auto answer = budget_.ask(
        kLimits, reset, [left] { return left; }, now_);
    tripped_now_ = answer.tripped_now;
    if (answer.allowed) budget_.spend(now_);
    return answer.allowed;
  }

  DeleteBudget budget_;
  WallTime now_ = *parse_time("2026-05-01T12:00:00Z");
  bool tripped_now_ = false;
};

TEST_F(Removal_Budget, few_removals_never_trip) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(remove(1));
}

TEST_F(Removal_Budget, many_of_very_many_do_not_trip) {
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(remove(1000 - i));
}

TEST_F(Removal_Budget, trips_once_and_closes_after_the_window) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(remove(4 - i));
  EXPECT_FALSE(remove(1));
  EXPECT_TRUE(tripped_now_);
  EXPECT_FALSE(remove(1));
  EXPECT_FALSE(tripped_now_);
  now_ += minutes(10) - seconds(1);
  EXPECT_FALSE(remove(1));
  now_ += seconds(1);
  EXPECT_TRUE(remove(1));
}

TEST_F(Removal_Budget, closes_when_the_annotation_changes) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(remove(1, "old"));
  EXPECT_FALSE(remove(1, "old"));
  EXPECT_TRUE(remove(1, "new"));
}

TEST_F(Removal_Budget, holds_what_tripped_before_the_start) {
  budget_.remember_trip(now_ - minutes(4), "old");
  EXPECT_FALSE(remove(100, "old"));
  EXPECT_FALSE(tripped_now_);
  EXPECT_TRUE(budget_
                  .ask(
                      kLimits, "new", [] { return std::int64_t{1}; }, now_)
                  .closed_now);
  EXPECT_TRUE(remove(1, "new"));
}

TEST_F(Removal_Budget, forgets_what_was_long_ago) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(remove(1));
  now_ += minutes(10);
  EXPECT_TRUE(budget_.is_idle(kLimits, now_));
  EXPECT_TRUE(remove(1));
  EXPECT_FALSE(budget_.is_idle(kLimits, now_));
}

TEST_F(Removal_Budget, without_a_bound_nothing_trips) {
  const BudgetLimits none{0, 0.5, minutes(10)};
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(budget_
                    .ask(
                        none, "", [] { return std::int64_t{0}; }, now_)
                    .allowed);
    budget_.spend(now_);
  }
}

}  // namespace
}  // namespace flotilla::controllers
