// SPDX-License-Identifier: Apache-2.0
#include "core/http/x509.hpp"

#include <gmock/gmock.h>

namespace flotilla::http {
namespace {

using ::testing::ElementsAre;

const WallTime kNow = *parse_time("2026-03-01T10:00:00Z");

TEST(X509, makes_a_ca_that_signs_servers) {
  const auto authority = make_authority("flotilla-ca", {kNow, std::chrono::hours(24 * 3650)});
  ASSERT_TRUE(authority.ok());
  const auto server =
      sign_server(*authority, "flotilla", {"localhost", "10.0.0.1", "::1", "*.example.org"}, {kNow});
  ASSERT_TRUE(server.ok()) << server.error().message();
  const auto ca = *Certificate::parse(authority->certificate_pem);
  const auto leaf = *Certificate::parse(server->certificate_pem);
  EXPECT_TRUE(ca.is_ca());
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_TRUE(leaf.signed_by(ca));
  EXPECT_FALSE(ca.signed_by(leaf));
  EXPECT_THAT(leaf.dns_names(), ElementsAre("localhost", "*.example.org"));
  EXPECT_THAT(leaf.ip_addresses(), ElementsAre("10.0.0.1", "::1"));
  EXPECT_EQ(leaf.not_after(), kNow + std::chrono::hours(24 * 365));
  EXPECT_LE(leaf.not_before(), kNow);
  EXPECT_EQ(leaf.fingerprint().size(), 64u);
  EXPECT_EQ(Certificate::parse(leaf.pem())->fingerprint(), leaf.fingerprint());
}

TEST(X509, keeps_the_groups_of_a_client_in_order) {
  const auto authority = *make_authority("ca", {kNow});
  const auto client = *sign_client(authority, {"system:admin", {"system:masters", "b"}}, {kNow});
  const Subject subject = Certificate::parse(client.certificate_pem)->subject();
  EXPECT_EQ(subject.common_name, "system:admin");
  EXPECT_THAT(subject.organizations, ElementsAre("system:masters", "b"));
}

TEST(X509, refuses_what_is_no_certificate) {
  EXPECT_EQ(Certificate::parse("hello").error().code(), Code::Invalid);
  EXPECT_FALSE(Certificate::parse("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").ok());
  const auto one = *make_authority("one", {kNow});
  const auto two = *make_authority("two", {kNow});
  EXPECT_FALSE(sign_client({one.certificate_pem, two.key_pem}, {"x", {}}, {kNow}).ok());
}

TEST(X509, refuses_to_sign_its_own_name) {
  const auto authority = *make_authority("same", {kNow});
  EXPECT_FALSE(sign_server(authority, "same", {"localhost"}, {kNow}).ok());
}

TEST(X509, makes_requests_that_can_be_signed) {
  const auto authority = *make_authority("ca", {kNow});
  const std::string key = *make_private_key();
  const auto request = make_signing_request(key, {"system:karmada:agent:m1", {"system:karmada:agents"}});
  ASSERT_TRUE(request.ok()) << request.error().message();
  const auto parsed = parse_signing_request(*request);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->subject.common_name, "system:karmada:agent:m1");
  EXPECT_THAT(parsed->subject.organizations, ElementsAre("system:karmada:agents"));
  EXPECT_TRUE(parsed->names.empty());
  EXPECT_TRUE(sign_request(authority, *request, {kNow}).ok());
  EXPECT_FALSE(make_signing_request("no key", {"x", {}}).ok());
}

TEST(X509, reads_bundles) {
  const auto one = *make_authority("one", {kNow});
  const auto two = *make_authority("two", {kNow});
  const auto bundle = parse_certificates(one.certificate_pem + two.certificate_pem);
  ASSERT_TRUE(bundle.ok());
  ASSERT_EQ(bundle->size(), 2u);
  EXPECT_EQ((*bundle)[1].subject().common_name, "two");
}

}  // namespace
}  // namespace flotilla::http
