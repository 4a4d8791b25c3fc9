// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/tokens.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

const WallTime kNow = WallTime(std::chrono::seconds(1'700'000'000));

class ApiServer_Tokens : public testing::Test {
 protected:
  static TokenRequest request() {
    TokenRequest wanted;
    wanted.ns = "shop";
    wanted.service_account = "web";
    wanted.uid = "u";
    wanted.audiences = {"here"};
    return wanted;
  }
  const std::unique_ptr<TokenSigner> signer_ = *TokenSigner::make("", "issuer");
};

TEST_F(ApiServer_Tokens, a_signed_token_says_whose_it_is) {
  const auto claims = signer_->verify(*signer_->sign(request(), kNow), kNow);
  ASSERT_TRUE(claims.ok());
  EXPECT_EQ(claims->ns, "shop");
  EXPECT_EQ(claims->service_account, "web");
  EXPECT_EQ(claims->uid, "u");
  EXPECT_EQ(claims->audiences, std::vector<std::string>{"here"});
}

TEST_F(ApiServer_Tokens, an_expired_token_is_refused) {
  const auto token = signer_->sign(request(), kNow);
  EXPECT_TRUE(signer_->verify(*token, kNow + std::chrono::minutes(60)).ok());
  EXPECT_FALSE(signer_->verify(*token, kNow + std::chrono::minutes(62)).ok());
}

TEST_F(ApiServer_Tokens, a_token_of_another_key_or_algorithm_is_refused) {
  const auto stranger = *TokenSigner::make("", "issuer");
  EXPECT_FALSE(signer_->verify(*stranger->sign(request(), kNow), kNow).ok());
  const std::string none = base64url(R"({"alg":"none"})") + "." + base64url(R"({"iss":"issuer"})") + ".";
  EXPECT_FALSE(signer_->verify(none, kNow).ok());
  EXPECT_FALSE(signer_->verify("not.a.token", kNow).ok());
}

TEST_F(ApiServer_Tokens, the_key_survives_as_pem) {
  const auto again = *TokenSigner::make(signer_->key_pem(), "issuer");
  EXPECT_TRUE(again->verify(*signer_->sign(request(), kNow), kNow).ok());
}

}  // namespace
}  // namespace flotilla::apiserver
