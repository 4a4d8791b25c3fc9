// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/bootstrap.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/base/base64.hpp"
#include "core/http/jws.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

const BootstrapToken kToken{"abcdef", "0123456789abcdef"};

std::string kubeconfig_with(const std::string& ca_pem) {
  return "apiVersion: v1\nkind: Config\nclusters:\n- name: \"\"\n  cluster:\n    server: "
         "https://10.0.0.1:6443\n"
         "    certificate-authority-data: " +
         base64_encode(ca_pem) + "\n";
}

Json cluster_info(const std::string& text, const std::string& signature) {
  return Json::object({{"data", Json::object({{"kubeconfig", text}, {"jws-kubeconfig-abcdef", signature}})}});
}

TEST(Ctl_Bootstrap, tokens_have_a_form) {
  EXPECT_TRUE(BootstrapToken::parse("abcdef.0123456789abcdef").ok());
  for (const char* wrong : {"", "abcdef", "abcdef.", "abcde.0123456789abcdef", "ABCDEF.0123456789abcdef",
                            "abcdef.0123456789abcdeg-", "abcdef.0123456789abcdef0"}) {
    const auto parsed = BootstrapToken::parse(wrong);
    ASSERT_FALSE(parsed.ok()) << wrong;
    EXPECT_TRUE(parsed.error().is(Code::Invalid));
  }
}

TEST(Ctl_Bootstrap, tokens_are_made_at_random) {
  std::set<std::string> made;
  for (int i = 0; i < 100; ++i) {
    const BootstrapToken token = BootstrapToken::random();
    EXPECT_TRUE(BootstrapToken::parse(token.text()).ok()) << token.text();
    made.insert(token.text());
  }
  EXPECT_EQ(made.size(), 100u);
}

TEST(Ctl_Bootstrap, cluster_info_counts_when_the_token_has_signed_it) {
  const std::string text = kubeconfig_with("PEM");
  const std::string good = http::detached_signature(text, kToken.id, kToken.secret);
  EXPECT_EQ(*signed_kubeconfig(cluster_info(text, good), kToken), text);
  const auto tampered = signed_kubeconfig(cluster_info(text + " ", good), kToken);
  ASSERT_FALSE(tampered.ok());
  EXPECT_TRUE(tampered.error().is(Code::Unauthorized));
  const auto unknown = signed_kubeconfig(cluster_info(text, ""), kToken);
  ASSERT_FALSE(unknown.ok());
  EXPECT_TRUE(unknown.error().is(Code::NotFound));
  EXPECT_FALSE(signed_kubeconfig(Json::object(), kToken).ok());
}

TEST(Ctl_Bootstrap, the_authority_is_one_that_was_pinned) {
  const SystemClock clock;
  const auto ours = *http::make_authority("ours", {clock.now()});
  const auto other = *http::make_authority("other", {clock.now()});
  const std::string pin = http::Certificate::parse(ours.certificate_pem)->public_key_pin();
  EXPECT_TRUE(pin.starts_with("sha256:"));
  EXPECT_EQ(pin.size(), 7u + 64u);
  EXPECT_EQ(*pinned_authority(kubeconfig_with(ours.certificate_pem), {pin}), ours.certificate_pem);
  EXPECT_TRUE(pinned_authority(kubeconfig_with(other.certificate_pem), {}).ok());
  const auto stranger = pinned_authority(kubeconfig_with(other.certificate_pem), {pin});
  ASSERT_FALSE(stranger.ok());
  EXPECT_TRUE(stranger.error().is(Code::Unauthorized));
  EXPECT_FALSE(pinned_authority(kubeconfig_with("no PEM"), {pin}).ok());
  EXPECT_FALSE(pinned_authority("clusters: []", {pin}).ok());
}

// From five minutes before it was made: 65 minutes in all.
TEST(Ctl_Bootstrap, certificates_are_renewed_when_little_of_their_time_is_left) {
  const WallTime made = *parse_time("2026-05-01T12:00:00Z");
  const auto authority = *http::make_authority("ca", {made, std::chrono::hours(100)});
  const auto pair = *http::sign_client(authority, {"agent", {}}, {made, std::chrono::hours(1)});
  const auto due = [&](std::chrono::minutes later) {
    return *is_renewal_due(pair.certificate_pem, 0.2, made + later);
  };
  EXPECT_FALSE(due(std::chrono::minutes(0)));
  EXPECT_FALSE(due(std::chrono::minutes(46)));
  EXPECT_TRUE(due(std::chrono::minutes(47)));
  EXPECT_TRUE(due(std::chrono::minutes(90)));
  EXPECT_FALSE(is_renewal_due("nonsense", 0.2, made).ok());
}

}  // namespace
}  // namespace flotilla::ctl
