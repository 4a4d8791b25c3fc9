// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/patterns.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

TEST(Api_Patterns, match_anywhere_unless_anchored) {
  EXPECT_TRUE(pattern_matches("b+", "abc"));
  EXPECT_FALSE(pattern_matches("^b+$", "abc"));
  EXPECT_TRUE(pattern_matches(R"(^\d{2}$)", "42"));
  EXPECT_TRUE(pattern_matches(R"(^\p{Lu}$)", "Ä"));
}

TEST(Api_Patterns, are_linear_in_the_text) {
  EXPECT_FALSE(pattern_matches("^(a+)+$", std::string(100'000, 'a') + "b"));
}

TEST(Api_Patterns, are_refused_in_gos_words) {
  EXPECT_EQ(pattern_error("^a$"), "");
  EXPECT_EQ(pattern_error("("), "error parsing regexp: missing closing ): `(`");
  EXPECT_EQ(pattern_error("[a"), "error parsing regexp: missing closing ]: `[a`");
  EXPECT_EQ(pattern_error("*"), "error parsing regexp: missing argument to repetition operator: `*`");
  EXPECT_EQ(pattern_error("(?!a)"), "error parsing regexp: invalid or unsupported Perl syntax: `(?!`");
}

}  // namespace
}  // namespace flotilla::api
