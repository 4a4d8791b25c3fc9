// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/apiserver/security/bootstrap_token.hpp"
#include "core/apiserver/security/token_file.hpp"

namespace flotilla::apiserver {
namespace {

TEST(ApiServer_TokenFile, reads_users_and_groups) {
  const auto tokens = read_token_file("# people\nabc,alice,1,\"dev, ops\"\n\nxyz , bob,2\r\n");
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(tokens->at("abc").name, "alice");
  EXPECT_EQ(tokens->at("abc").groups, (std::vector<std::string>{"dev", "ops"}));
  EXPECT_EQ(tokens->at("xyz").uid, "2");
  EXPECT_TRUE(tokens->at("xyz").groups.empty());
}

TEST(ApiServer_TokenFile, names_the_line_that_is_wrong) {
  EXPECT_EQ(read_token_file("a,b,c\nx,y\n").error().message(),
            "line 2: expected token,user,uid and perhaps groups");
  EXPECT_EQ(read_token_file("a,b,c\na,d,e\n").error().message(), "line 2: the token occurs twice");
  EXPECT_EQ(read_token_file(",b,c").error().message(), "line 1: the token is empty");
}

TEST(ApiServer_BootstrapToken, knows_its_shape) {
  EXPECT_TRUE(is_bootstrap_token("abcdef.0123456789abcdef"));
  EXPECT_FALSE(is_bootstrap_token("abcdef.0123456789ABCDEF"));
  EXPECT_FALSE(is_bootstrap_token("abcde.0123456789abcdef"));
  EXPECT_FALSE(is_bootstrap_token("abcdef.0123456789abcdef0"));
  EXPECT_FALSE(is_bootstrap_token("abcdef"));
}

}  // namespace
}  // namespace flotilla::apiserver
