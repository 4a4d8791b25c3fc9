// SPDX-License-Identifier: Apache-2.0
#include "core/api/taint.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

bool tolerated(std::string_view toleration, std::string_view taint) {
  return tolerates(*Json::parse(toleration), *Json::parse(taint));
}

TEST(Api_Taint, is_tolerated_by_key_value_and_effect) {
  std::string_view taint = R"({"key": "a", "value": "1", "effect": "NoExecute"})";
  EXPECT_TRUE(tolerated(R"({"key": "a", "value": "1"})", taint));
  EXPECT_TRUE(tolerated(R"({"key": "a", "operator": "Exists"})", taint));
  EXPECT_TRUE(tolerated(R"({"operator": "Exists"})", taint));
  EXPECT_FALSE(tolerated(R"({"key": "a", "operator": "Equal", "value": "2"})", taint));
  EXPECT_FALSE(tolerated(R"({"operator": "Exists", "effect": "NoSchedule"})", taint));
}

TEST(Api_Taint, is_the_same_whatever_its_value) {
  EXPECT_TRUE(is_same_taint(*Json::parse(R"({"key": "a", "value": "1", "effect": "NoExecute"})"),
                            *Json::parse(R"({"key": "a", "effect": "NoExecute"})")));
}

}  // namespace
}  // namespace flotilla::api
