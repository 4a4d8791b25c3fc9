// SPDX-License-Identifier: Apache-2.0
#include "core/base/base64.hpp"

#include <gtest/gtest.h>

#include <random>

namespace flotilla {
namespace {

// Where decoding fails, or -1.
int bad_byte(std::string_view text) {
  std::size_t at = 0;
  return base64_decode(text, &at) ? -1 : static_cast<int>(at);
}

TEST(Base_Base64, encodes_the_examples_of_RFC_4648) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode("\xfb\xff"), "+/8=");
  EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
  EXPECT_EQ(base64url_encode("f"), "Zg");
}

TEST(Base_Base64, decodes_what_it_encoded) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
  }
}

TEST(Base_Base64, skips_line_breaks) {
  EXPECT_EQ(base64_decode("Zm9v\r\nYg=\n=\n"), "foob");
}

TEST(Base_Base64, names_the_byte_that_Go_names) {
  const std::pair<std::string_view, int> cases[] = {
      {"AAAA\n", -1}, {"!!!!", 0},  {"====", 0},  {"x===", 1},     {"A=AA", 1},   {"AA=A", 2},
      {"AA==A", 4},   {"AAAAA", 4}, {"AAA", 0},   {"AAA=AAAA", 4}, {"AAAAAA", 4}, {"A=", 1},
      {"AA=", 3},     {"AA===", 4}, {"AAAA=", 4}, {"AA_=", 2},     {"AAAAA=", 5}, {"AA\n=\n", 5}};
  for (const auto& [text, wanted] : cases) EXPECT_EQ(bad_byte(text), wanted) << text;
}

TEST(Base_Base64, knows_no_padding_in_urls) {
  std::size_t at = 0;
  EXPECT_FALSE(base64url_decode("Zg==", &at));
  EXPECT_EQ(at, 2u);
  EXPECT_FALSE(base64url_decode("Zm9vY", &at));
  EXPECT_EQ(at, 4u);
}

}  // namespace
}  // namespace flotilla
