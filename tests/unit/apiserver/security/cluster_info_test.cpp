// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/cluster_info.hpp"

#include <gtest/gtest.h>

#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

ObjectPtr token(const std::string& id, const char* signing, const char* expiration = "") {
  Json data = Json::object({{"token-id", base64_encode(id)},
                            {"token-secret", base64_encode("0123456789abcdef")},
                            {"usage-bootstrap-signing", base64_encode(signing)},
                            {"expiration", base64_encode(expiration)}});
  return api::Object::make(
      Json::object(
          {{"apiVersion", "v1"},
           {"kind", "Secret"},
           {"metadata", Json::object({{"name", "bootstrap-token-" + id}, {"namespace", "kube-system"}})},
           {"type", "bootstrap.kubernetes.io/token"},
           {"data", std::move(data)}}),
      Revision(1));
}

TEST(Apiserver_ClusterInfo, is_signed_by_every_token_that_may) {
  const WallTime now = *parse_time("2026-01-02T03:04:05Z");
  const Json data =
      Json::object({{"kubeconfig", "text"}, {"jws-kubeconfig-gone00", "old"}, {"other", "stays"}});
  const Json out = signed_cluster_info(
      data,
      {token("abcdef", "true"), token("silent", "false"), token("past00", "true", "2025-01-01T00:00:00Z"),
       token("later0", "true", "2027-01-01T00:00:00Z"), token("BROKEN", "true")},
      now);
  EXPECT_EQ(out.keys(), (std::vector<std::string>{"jws-kubeconfig-abcdef", "jws-kubeconfig-later0",
                                                  "kubeconfig", "other"}));
  EXPECT_EQ(signed_cluster_info(out, {}, now).size(), 2u);
}

TEST(Apiserver_ClusterInfo, is_a_kubeconfig_without_users) {
  const std::string text = cluster_info_text("https://10.0.0.1:6443", "PEM");
  EXPECT_NE(text.find("server: https://10.0.0.1:6443\n"), std::string::npos);
  EXPECT_NE(text.find("certificate-authority-data: UEVN\n"), std::string::npos);
}

}  // namespace
}  // namespace flotilla::apiserver
