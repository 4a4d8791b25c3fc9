// SPDX-License-Identifier: Apache-2.0
#include "core/overrides/applied_text.hpp"

#include <gtest/gtest.h>

namespace flotilla::overrides {
namespace {

TEST(Overrides_AppliedText, members_are_in_the_order_of_the_api_types) {
  const auto applied =
      *api::Json::parse(R"([{"overriders":{"argsOverrider":[{"operator":"add","containerName":"c",
    "value":["z","a"]}],"plaintext":[{"value":{"path":1,"b":"<"},"path":"/x","operator":"add"}]},"policyName":"p"}])");
  EXPECT_EQ(
      applied_text(applied),
      R"([{"policyName":"p","overriders":{"plaintext":[{"path":"/x","operator":"add","value":{"b":"\u003c",)"
      R"("path":1}}],"argsOverrider":[{"containerName":"c","operator":"add","value":["z","a"]}]}}])");
}

}  // namespace
}  // namespace flotilla::overrides
