// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/event_expiry.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

using namespace std::chrono_literals;

TEST(Apiserver_EventExpiry, knows_what_has_not_been_written_for_so_long) {
  RevisionAges ages(1h);
  const SteadyTime start{};
  EXPECT_EQ(ages.old_at(start), Revision(0));
  ages.note(start, Revision(10));
  ages.note(start + 1min, Revision(10));
  ages.note(start + 2min, Revision(25));
  EXPECT_EQ(ages.old_at(start + 59min), Revision(0));
  EXPECT_EQ(ages.old_at(start + 60min), Revision(10));
  EXPECT_EQ(ages.old_at(start + 61min), Revision(10));
  EXPECT_EQ(ages.old_at(start + 62min), Revision(25));
  EXPECT_EQ(ages.old_at(start + 10h), Revision(25));
  ages.note(start + 10h, Revision(30));
  EXPECT_EQ(ages.old_at(start + 10h), Revision(25));
  EXPECT_EQ(ages.old_at(start + 11h), Revision(30));
}

}  // namespace
}  // namespace flotilla::apiserver
