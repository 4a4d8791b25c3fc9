// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/store/encryption/encryption_rules.hpp"

namespace flotilla::store {
namespace {

using api::Json;

constexpr std::string_view kPlace = "/registry/secrets/default/s";

CipherKey key(CipherKind kind, std::size_t size = 32, char fill = 'k') {
  return {kind, "one", std::string(size, fill)};
}

EncryptionRules rules(std::string_view providers) {
  const auto json =
      Json::parse(R"({"apiVersion":"apiserver.config.k8s.io/v1","kind":"EncryptionConfiguration",
    "resources":[{"resources":["secrets","widgets.example.com"],"providers":)" +
                  std::string(providers) + "}]}");
  EXPECT_TRUE(json.ok());
  auto read = EncryptionRules::read(*json);
  EXPECT_TRUE(read.ok()) << read.error().message();
  return *std::move(read);
}

constexpr std::string_view kOld =
    R"({"aesgcm":{"keys":[{"name":"old","secret":"MDEyMzQ1Njc4OWFiY2RlZg=="}]}})";
constexpr std::string_view kBoth =
    R"({"aesgcm":{"keys":[{"name":"new","secret":"ZmVkY2JhOTg3NjU0MzIxMA=="},{"name":"old","secret":"MDEyMzQ1Njc4OWFiY2RlZg=="}]}})";

TEST(Store_Encryption, values_come_back_whatever_the_key_and_the_length) {
  for (const CipherKind kind : {CipherKind::AesGcm, CipherKind::AesCbc}) {
    for (const std::size_t size : {16, 24, 32}) {
      for (const std::size_t length : {0, 1, 15, 16, 17, 5000}) {
        const std::string plain(length, 'p');
        const std::string sealed = encrypt_value(key(kind, size), kPlace, plain);
        EXPECT_TRUE(sealed.starts_with(key(kind).prefix()));
        EXPECT_EQ(*decrypt_value(key(kind, size), kPlace, sealed), plain);
      }
    }
  }
}

TEST(Store_Encryption, the_same_value_never_looks_the_same) {
  EXPECT_NE(encrypt_value(key(CipherKind::AesGcm), kPlace, "x"),
            encrypt_value(key(CipherKind::AesGcm), kPlace, "x"));
}

TEST(Store_Encryption, what_was_tampered_with_is_refused) {
  const CipherKey own = key(CipherKind::AesGcm);
  std::string sealed = encrypt_value(own, kPlace, "secret");
  EXPECT_FALSE(decrypt_value(own, "/registry/secrets/default/other", sealed).ok());
  EXPECT_FALSE(decrypt_value(key(CipherKind::AesGcm, 32, 'x'), kPlace, sealed).ok());
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  EXPECT_FALSE(decrypt_value(own, kPlace, sealed).ok());
  EXPECT_FALSE(decrypt_value(own, kPlace, own.prefix()).ok());
}

TEST(Store_Encryption, only_named_resources_are_hidden) {
  const EncryptionRules own = rules("[" + std::string(kOld) + R"(,{"identity":{}}])");
  EXPECT_TRUE(own.seal(kPlace, "x").starts_with("k8s:enc:aesgcm:v1:old:"));
  EXPECT_TRUE(own.seal("/registry/example.com/widgets/ns/w", "x").starts_with("k8s:enc:"));
  EXPECT_EQ(own.seal("/registry/configmaps/default/s", "x"), "x");
}

TEST(Store_Encryption, keys_rotate) {
  const EncryptionRules before = rules("[" + std::string(kOld) + "]");
  const EncryptionRules after = rules("[" + std::string(kBoth) + R"(,{"identity":{}}])");
  const auto opened = after.open(kPlace, before.seal(kPlace, "x"));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->value, "x");
  EXPECT_TRUE(opened->stale);
  EXPECT_FALSE(after.open(kPlace, after.seal(kPlace, "x"))->stale);
  EXPECT_TRUE(after.open(kPlace, "plain")->stale);
}

TEST(Store_Encryption, a_missing_key_is_named) {
  const EncryptionRules before = rules("[" + std::string(kBoth) + "]");
  const EncryptionRules after = rules("[" + std::string(kOld) + "]");
  EXPECT_EQ(after.open(kPlace, before.seal(kPlace, "x")).error().message(),
            "it was written with a key that is not here: aesgcm:v1:new");
  EXPECT_EQ(after.open(kPlace, "plain").error().message(),
            "it is not encrypted, and no identity provider allows that");
}

TEST(Store_Encryption, faults_of_the_file_name_the_field) {
  const auto message = [](std::string_view text) {
    const auto read = EncryptionRules::read(*Json::parse(text));
    return read ? std::string() : read.error().message();
  };
  EXPECT_EQ(message("{}"), "kind: must be EncryptionConfiguration");
  EXPECT_EQ(message(R"({"apiVersion":"apiserver.config.k8s.io/v1","kind":"EncryptionConfiguration",
    "resources":[{"resources":["secrets"],"providers":[{"aesgcm":{"keys":[{"name":"a","secret":"YQ=="}]}}]}]})"),
            "resources[0].providers[0].aesgcm.keys[0].secret: must have 16, 24 or 32 bytes, not 1");
  EXPECT_EQ(message(R"({"apiVersion":"apiserver.config.k8s.io/v1","kind":"EncryptionConfiguration",
    "resources":[{"resources":["secrets"],"providers":[{"kms":{}}]}]})"),
            "resources[0].providers[0]: only aesgcm, aescbc and identity are known");
}

}  // namespace
}  // namespace flotilla::store
