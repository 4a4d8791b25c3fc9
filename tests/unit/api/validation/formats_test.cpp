// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/formats.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

TEST(Api_Formats, are_held_where_they_are_known) {
  EXPECT_TRUE(format_matches("isbn10", "0-306-40615-2"));
  EXPECT_FALSE(format_matches("isbn10", "0-306-40615-3"));
  EXPECT_TRUE(format_matches("isbn", "978-0-306-40615-7"));
  EXPECT_TRUE(format_matches("creditcard", "4111 1111 1111 1111"));
  EXPECT_FALSE(format_matches("creditcard", "4111 1111 1111 1112"));
  EXPECT_TRUE(format_matches("rgbcolor", "rgb(0, 127, 255)"));
  EXPECT_FALSE(format_matches("rgbcolor", "rgb(0,127)"));
  EXPECT_FALSE(format_matches("rgbcolor", "rgb(0,127,256)"));
  EXPECT_TRUE(format_matches("whatever", "x"));
  EXPECT_FALSE(is_known_format("whatever"));
}

}  // namespace
}  // namespace flotilla::api
