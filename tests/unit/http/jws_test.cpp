// SPDX-License-Identifier: Apache-2.0
#include "core/http/jws.hpp"

#include <gtest/gtest.h>

#include "core/base/base64.hpp"

namespace flotilla::http {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef";
constexpr std::string_view kSignature =
    "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..psz1NayrXM3IaFzKZGsb5n_mBl7MjtlsZ1xE8MRmF_4";

// RFC 7515 with the payload detached; computed with Python's hmac.
TEST(Http_Jws, signatures_are_json_web_signatures) {
  EXPECT_EQ(detached_signature("content", "abcdef", kSecret), kSignature);
}

TEST(Http_Jws, holds_for_this_content_and_this_secret_alone) {
  EXPECT_TRUE(is_signed_by(kSignature, "content", kSecret));
  EXPECT_FALSE(is_signed_by(kSignature, "contents", kSecret));
  EXPECT_FALSE(is_signed_by(kSignature, "content", "0123456789abcdeF"));
  EXPECT_FALSE(is_signed_by("", "content", kSecret));
  EXPECT_FALSE(is_signed_by("a..b", "content", kSecret));
}

TEST(Http_Jws, the_algorithm_is_not_the_signers_to_choose) {
  const std::string header = base64url_encode(R"({"alg":"none"})");
  EXPECT_FALSE(is_signed_by(header + "..", "content", kSecret));
}

}  // namespace
}  // namespace flotilla::http
