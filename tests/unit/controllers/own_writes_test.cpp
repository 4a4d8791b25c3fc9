// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/own_writes.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

ObjectPtr work_at(std::int64_t revision) {
  return api::Object::make(*Json::parse(R"({"metadata":{"namespace":"ns","name":"w"}})"), Revision(revision));
}

TEST(Controllers_OwnWrites, what_was_written_and_seen_in_any_order_is_ours) {
  OwnWrites own;
  own.wrote(*work_at(1));
  own.saw(*work_at(1));
  own.saw(*work_at(2));
  own.wrote(*work_at(2));
  EXPECT_FALSE(own.take_foreign({"ns", "w"}));
}

TEST(Controllers_OwnWrites, what_was_only_seen_was_somebody_else) {
  OwnWrites own;
  own.wrote(*work_at(1));
  own.saw(*work_at(1));
  own.saw(*work_at(2));
  EXPECT_TRUE(own.take_foreign({"ns", "w"}));
  EXPECT_FALSE(own.take_foreign({"ns", "w"}));
}

}  // namespace
}  // namespace flotilla::controllers
