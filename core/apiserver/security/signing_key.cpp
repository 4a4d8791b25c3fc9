// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/signing_key.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

constexpr int kCoordinate = 32;  // bytes of a P-256 number

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string sha256(std::string_view bytes) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), bytes_of(digest), &size, EVP_sha256(), nullptr);
  digest.resize(size);
  return digest;
}

// `width` 0: as many bytes as it takes.
std::string number_of(EVP_PKEY* key, const char* name, int width) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return "";
  std::string bytes(static_cast<std::size_t>(width > 0 ? width : BN_num_bytes(value)), '\0');
  BN_bn2binpad(value, bytes_of(bytes), static_cast<int>(bytes.size()));
  BN_free(value);
  return bytes;
}

// OpenSSL speaks DER, RFC 7518 section 3.4 wants the two numbers side by side.
std::string raw_of_der(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  if (signature == nullptr) return "";
  std::string raw(2 * kCoordinate, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes_of(raw), kCoordinate);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes_of(raw) + kCoordinate, kCoordinate);
  ECDSA_SIG_free(signature);
  return raw;
}

std::string der_of_raw(std::string_view raw) {
  if (raw.size() != 2 * kCoordinate) return "";
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(bytes_of(raw), kCoordinate, nullptr),
                 BN_bin2bn(bytes_of(raw) + kCoordinate, kCoordinate, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  std::string out;
  if (size > 0) out.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  return out;
}

bool is_p256(const EVP_PKEY* key) {
  char group[32] = {};
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
         std::string_view(group) == "prime256v1";
}

}  // namespace

SigningKey::SigningKey(EVP_PKEY* key)
    : key_(key, EVP_PKEY_free), rsa_(EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size > 0)
    id_ = base64url_encode(sha256({reinterpret_cast<char*>(der), static_cast<std::size_t>(size)}));
  OPENSSL_free(der);
}

Result<SigningKey> SigningKey::generate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  if (key == nullptr) return internal("making a service account key failed");
  return SigningKey(key);
}

Result<SigningKey> SigningKey::read(std::string_view pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  if (key != nullptr && (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA || is_p256(key))) return SigningKey(key);
  EVP_PKEY_free(key);
  return invalid("the service account key is not a readable P-256 or RSA private key");
}

Result<std::string> SigningKey::sign(std::string_view text) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::size_t size = 0;
  std::string signature;
  bool done = EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
              EVP_DigestSign(context, nullptr, &size, bytes_of(text), text.size()) == 1;
  if (done) {
    signature.resize(size);
    done = EVP_DigestSign(context, bytes_of(signature), &size, bytes_of(text), text.size()) == 1;
    signature.resize(size);
  }
  EVP_MD_CTX_free(context);
  if (done && !rsa_) signature = raw_of_der(signature);
  if (!done || signature.empty()) return internal("signing a token failed");
  return signature;
}

bool SigningKey::verify(std::string_view text, std::string_view signature) const {
  const std::string der = rsa_ ? std::string(signature) : der_of_raw(signature);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool good = EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
                    EVP_DigestVerify(context, bytes_of(std::string_view(der)), der.size(), bytes_of(text),
                                     text.size()) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

std::string SigningKey::pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

api::Json SigningKey::public_jwk() const {
  api::Json jwk = api::Json::object({{"use", "sig"}, {"kid", id_}, {"alg", algorithm()}});
  if (rsa_) {
    jwk.set("kty", "RSA");
    jwk.set("n", base64url_encode(number_of(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0)));
    jwk.set("e", base64url_encode(number_of(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0)));
  } else {
    jwk.set("kty", "EC");
    jwk.set("crv", "P-256");
    jwk.set("x", base64url_encode(number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, kCoordinate)));
    jwk.set("y", base64url_encode(number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinate)));
  }
  return jwk;
}

}  // namespace flotilla::apiserver
