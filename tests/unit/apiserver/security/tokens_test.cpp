// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/tokens.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/base/base64.hpp"

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
  const std::string none =
      base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(R"({"iss":"issuer"})") + ".";
  EXPECT_FALSE(signer_->verify(none, kNow).ok());
  EXPECT_FALSE(signer_->verify("not.a.token", kNow).ok());
}

std::string rsa_key_pem() {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  EVP_PKEY_free(key);
  return pem;
}

TEST_F(ApiServer_Tokens, an_rsa_key_that_was_brought_along_signs_as_rs256) {
  const auto signer = *TokenSigner::make(rsa_key_pem(), "issuer");
  const auto token = *signer->sign(request(), kNow);
  EXPECT_TRUE(signer->verify(token, kNow).ok());
  EXPECT_FALSE(signer_->verify(token, kNow).ok());
  EXPECT_EQ(signer->key_set()["keys"].element(0)["alg"].as_string(), "RS256");
  EXPECT_EQ(signer->key_set()["keys"].element(0)["e"].as_string(), "AQAB");
}

TEST_F(ApiServer_Tokens, a_key_made_here_signs_as_es256) {
  const api::Json key = signer_->key_set()["keys"].element(0);
  EXPECT_EQ(key["alg"].as_string(), "ES256");
  EXPECT_EQ(base64url_decode(key["x"].as_string())->size(), 32u);
  const std::string token = *signer_->sign(request(), kNow);
  const auto signature = base64url_decode(token.substr(token.rfind('.') + 1));
  EXPECT_EQ(signature->size(), 64u);  // RFC 7518 section 3.4
  std::string forged = token;
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  forged[forged.size() - 20] = forged[forged.size() - 20] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(signer_->verify(forged, kNow).ok());
}

TEST_F(ApiServer_Tokens, refuses_keys_it_cannot_sign_with) {
  EXPECT_FALSE(TokenSigner::make("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "i").ok());
}

TEST_F(ApiServer_Tokens, the_key_survives_as_pem) {
  const auto again = *TokenSigner::make(signer_->key_pem(), "issuer");
  EXPECT_TRUE(again->verify(*signer_->sign(request(), kNow), kNow).ok());
}

}  // namespace
}  // namespace flotilla::apiserver
