// SPDX-License-Identifier: Apache-2.0
#include "tests/compat/compare.hpp"

#include <gtest/gtest.h>

namespace flotilla::compat {
namespace {

using api::Json;

Json parsed(std::string_view text) {
  return Json::parse(text).value();
}

std::string compared(std::string_view topic, std::string_view expected, std::string_view answer,
                     bool messages = false) {
  Json line = Json::object({{"topic", topic}, {"expected", parsed(expected)}});
  return difference(line, parsed(answer), CompareOptions{messages});
}

TEST(Compat_Compare, ignores_members_that_are_null_or_empty_from_the_inside_out) {
  EXPECT_EQ(compared("works", R"({"a":{"b":{"c":null}},"d":1})", R"({"d":1,"e":{}})"), "");
  EXPECT_NE(compared("works", R"({"d":1})", R"({"d":1,"e":[]})"), "");
  EXPECT_EQ(compared("interpreter_thirdparty", R"({"d":1})", R"({"d":1,"e":[]})"), "");
}

TEST(Compat_Compare, takes_some_lists_as_sets) {
  EXPECT_EQ(compared("scheduling", R"({"clusters":[{"name":"a"},{"name":"b"}]})",
                     R"({"clusters":[{"name":"b"},{"name":"a"}]})"),
            "");
  EXPECT_NE(compared("spread", R"({"clusters":["a","b"]})", R"({"clusters":["b","a"]})"), "");
  EXPECT_NE(compared("scheduling", R"({"clusters":[{"name":"a"}]})", R"({"clusters":[]})"), "");
  EXPECT_NE(compared("division", R"({"clusters":[]})", R"({"clusters":[{"name":"a"}]})"), "");
}

TEST(Compat_Compare, knows_quantities_by_value) {
  EXPECT_TRUE(equal_quantities("1", "1000m"));
  EXPECT_TRUE(equal_quantities("0.5Gi", "512Mi"));
  EXPECT_TRUE(equal_quantities("1e3", "1k"));
  EXPECT_TRUE(equal_quantities("0", "0Mi"));
  EXPECT_TRUE(equal_quantities("-1", "-1000m"));
  EXPECT_FALSE(equal_quantities("1G", "1Gi"));
  EXPECT_FALSE(equal_quantities("nginx", "nginx"));
  EXPECT_FALSE(equal_quantities("10", "100"));
  EXPECT_EQ(compared("works", R"({"cpu":"1"})", R"({"cpu":"1000m"})"), "");
}

TEST(Compat_Compare, accepts_any_time_and_any_uuid_where_they_stand_for_one) {
  EXPECT_EQ(compared("works", R"({"t":"<now>"})", R"({"t":"2026-01-02T03:04:05Z"})"), "");
  EXPECT_NE(compared("works", R"({"t":"<now>"})", R"({"t":"yesterday"})"), "");
  EXPECT_EQ(compared("works", R"({"t":"<uuid>"})", R"({"t":"11111111-2222-4333-8444-555555555555"})"), "");
  EXPECT_NE(compared("works", R"({"t":"<uuid>"})", R"({"t":"11111111-2222-1333-8444-555555555555"})"), "");
}

TEST(Compat_Compare, holds_errors_by_class_and_by_message_where_it_is_fixed) {
  constexpr std::string_view kError = R"({"error":{"class":"Error","message":"x"}})";
  EXPECT_NE(compared("division", kError, R"({"clusters":[]})"), "");
  EXPECT_NE(compared("division", kError, R"({"error":{"class":"FitError","message":"x"}})"), "");
  EXPECT_NE(compared("division", kError, R"({"error":{"class":"Error","message":"y"}})"), "");
  EXPECT_EQ(compared("overrides", kError, R"({"error":{"class":"Error","message":"y"}})"), "");
  EXPECT_NE(compared("overrides", kError, R"({"error":{"class":"Error","message":"y"}})", true), "");
  EXPECT_NE(compared("overrides", R"({"object":{"a":1}})", R"({"error":{"message":"y"}})"), "");
  EXPECT_EQ(
      compared("overrides", R"({"error":{"message":"boom","panic":true}})", R"({"error":{"message":"no"}})"),
      "");
}

TEST(Compat_Compare, takes_a_varying_fit_error_by_its_number_of_clusters) {
  constexpr std::string_view kVaries =
      R"({"error":{"class":"FitError","message":"0/3 clusters are available: 3 a.","message_varies":true}})";
  EXPECT_EQ(compared("scheduling", kVaries,
                     R"({"error":{"class":"FitError","message":"0/3 clusters are available: 3 b."}})"),
            "");
  EXPECT_NE(compared("scheduling", kVaries,
                     R"({"error":{"class":"FitError","message":"0/4 clusters are available: 3 a."}})"),
            "");
}

TEST(Compat_Compare, takes_any_of_the_right_answers) {
  Json line = parsed(R"({"topic":"spread","expected":{"x":1},"expected_any":[{"x":1},{"x":2}]})");
  EXPECT_EQ(difference(line, parsed(R"({"x":2})"), {}), "");
  EXPECT_NE(difference(line, parsed(R"({"x":3})"), {}), "");
}

TEST(Compat_Compare, holds_a_denial_by_verdict_and_fields) {
  constexpr std::string_view kDenied =
      R"({"allowed":false,"code":403,"message":"m","fields":[{"path":"a","type":"t"},{"path":"b","type":"t"}]})";
  EXPECT_EQ(compared("webhook_validate", kDenied,
                     R"({"allowed":false,"fields":[{"path":"b","type":"t"},{"path":"a","type":"t"}]})"),
            "");
  EXPECT_NE(compared("webhook_validate", kDenied, R"({"allowed":false})"), "");
  EXPECT_NE(compared("webhook_validate", kDenied, R"({"allowed":true})"), "");
  EXPECT_EQ(compared("webhook_validate", R"({"allowed":false,"message":"m"})",
                     R"({"allowed":false,"fields":[{"path":"b","type":"t"}]})"),
            "");
}

TEST(Compat_Compare, reads_a_schema_by_its_meaning) {
  EXPECT_EQ(compared("schema",
                     R"({"a":{"type":"array","x-kubernetes-list-type":"atomic"},"b":{"required":["x","y"]}})",
                     R"({"a":{"type":"array"},"b":{"required":["y","x"]}})"),
            "");
  EXPECT_NE(compared("schema", R"({"a":{"x-kubernetes-list-type":"map"}})", R"({})"), "");
}

TEST(Compat_Compare, says_where_the_first_difference_is) {
  EXPECT_EQ(compared("works", R"({"a":{"b":[1,2]}})", R"({"a":{"b":[1,3]}})"), "a.b[1]: want 2, got 3");
}

}  // namespace
}  // namespace flotilla::compat
