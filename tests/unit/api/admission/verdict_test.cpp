// SPDX-License-Identifier: Apache-2.0
#include "core/api/admission/rules.hpp"
#include "tests/unit/api/admission/world.hpp"

namespace flotilla::api::test {
namespace {

TEST(Api_Denial, says_everything_once_and_keeps_the_causes) {
  FieldErrors errors;
  EXPECT_TRUE(denial(errors).ok());
  errors.required("a");
  EXPECT_EQ(denial(errors).error().message(), "a: Required value");
  errors.required("a");
  errors.invalid("b", -1, "must be positive");
  Status denied = denial(errors);
  EXPECT_EQ(denied.error().code(), Code::Forbidden);
  EXPECT_EQ(denied.error().message(), "[a: Required value, b: Invalid value: -1: must be positive]");
  EXPECT_EQ(denied.error().details()->causes.size(), 3u);
}

TEST(Api_ClusterName, is_a_label_of_at_most_48_characters) {
  EXPECT_TRUE(check_cluster_name("1a").empty());
  EXPECT_FALSE(check_cluster_name("").empty());
  EXPECT_FALSE(check_cluster_name("a.b").empty());
  EXPECT_FALSE(check_cluster_name(std::string(49, 'x')).empty());
}

}  // namespace
}  // namespace flotilla::api::test
