// SPDX-License-Identifier: Apache-2.0
#include "core/api/quantity.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

std::string canonical(std::string_view text) {
  auto parsed = Quantity::parse(text);
  return parsed ? parsed->to_string() : parsed.error().message();
}

TEST(Api_Quantity, canonical_form_takes_the_largest_suffix_without_fractions) {
  EXPECT_EQ(canonical("1000m"), "1");
  EXPECT_EQ(canonical("0.5"), "500m");
  EXPECT_EQ(canonical("1.5Gi"), "1536Mi");
  EXPECT_EQ(canonical("1024Ki"), "1Mi");
  EXPECT_EQ(canonical("1000Ki"), "1000Ki");
  EXPECT_EQ(canonical("123000"), "123k");
  EXPECT_EQ(canonical("1e3"), "1e3");
  EXPECT_EQ(canonical("100e2"), "10e3");
  EXPECT_EQ(canonical("0.1u"), "100n");
  EXPECT_EQ(canonical("+1"), "1");
  EXPECT_EQ(canonical("-0.5"), "-500m");
  EXPECT_EQ(canonical("0Gi"), "0");
  EXPECT_EQ(canonical("0.001Ki"), "1024m");
  EXPECT_EQ(canonical(".5"), "500m");
  EXPECT_EQ(canonical("5."), "5");
}

TEST(Api_Quantity, fractions_of_a_billionth_round_up) {
  EXPECT_EQ(canonical("0.1n"), "1n");
}

TEST(Api_Quantity, binary_values_beyond_int64_are_capped) {
  EXPECT_EQ(canonical("100Ei"), "9223372036854775807");
}

TEST(Api_Quantity, bad_texts_are_refused) {
  EXPECT_EQ(canonical("1x"),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  EXPECT_EQ(canonical("1mm"), "unable to parse quantity's suffix");
  EXPECT_EQ(canonical("1e"), "unable to parse quantity's suffix");
  EXPECT_FALSE(Quantity::parse(""));
  EXPECT_FALSE(Quantity::parse("."));
  EXPECT_FALSE(Quantity::parse("-"));
}

TEST(Api_Quantity, value_rounds_away_from_zero) {
  EXPECT_EQ(Quantity::parse("1001m")->value(), 2);
  EXPECT_EQ(Quantity::parse("-1001m")->value(), -2);
  EXPECT_EQ(Quantity::parse("1.0001")->milli_value(), 1001);
  EXPECT_EQ(Quantity::parse("2Gi")->value(), 2147483648);
}

TEST(Api_Quantity, comparison_is_by_value) {
  EXPECT_EQ(*Quantity::parse("1"), *Quantity::parse("1000m"));
  EXPECT_LT(*Quantity::parse("1G"), *Quantity::parse("1Gi"));
}

TEST(Api_Quantity, sums_keep_the_left_format_unless_it_is_zero) {
  EXPECT_EQ((*Quantity::parse("1Gi") + *Quantity::parse("1Gi")).to_string(), "2Gi");
  EXPECT_EQ((Quantity() + *Quantity::parse("1Gi")).to_string(), "1Gi");
  EXPECT_EQ((*Quantity::parse("500m") * 3).to_string(), "1500m");
  EXPECT_EQ((*Quantity::parse("1") - *Quantity::parse("300m")).to_string(), "700m");
}

TEST(Api_Quantity, numbers_and_null_are_read_too) {
  EXPECT_EQ(Quantity::from_json(Json(3))->to_string(), "3");
  EXPECT_EQ(Quantity::from_json(Json(0.5))->to_string(), "500m");
  EXPECT_EQ(Quantity::from_json(Json())->to_string(), "0");
}

}  // namespace
}  // namespace flotilla::api
