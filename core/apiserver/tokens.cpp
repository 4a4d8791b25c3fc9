// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/tokens.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <chrono>

namespace flotilla::apiserver {
namespace {

using api::Json;

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::int64_t kLeewaySeconds = 60;

Error refused(std::string_view why) {
  return Error(Code::Unauthorized, std::string(why));
}

std::int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string sha256(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string random_uuid() {
  unsigned char bytes[16];
  RAND_bytes(bytes, sizeof bytes);
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kHex[bytes[i] >> 4];
    out += kHex[bytes[i] & 15];
  }
  return out;
}

std::string number_of(EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return "";
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(value);
  return bytes;
}

void read_bound(const Json& claim, std::string& name, std::string& uid) {
  name = claim["name"].as_string();
  uid = claim["uid"].as_string();
}

}  // namespace

struct TokenSigner::Key {
  EVP_PKEY* pkey = nullptr;
  ~Key() { EVP_PKEY_free(pkey); }
};

std::string base64url(std::string_view bytes) {
  std::string out;
  std::size_t i = 0;
  for (; i + 2 < bytes.size(); i += 3) {
    const unsigned v = static_cast<unsigned char>(bytes[i]) << 16 |
                       static_cast<unsigned char>(bytes[i + 1]) << 8 |
                       static_cast<unsigned char>(bytes[i + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) out += kAlphabet[(v >> shift) & 63];
  }
  if (const std::size_t left = bytes.size() - i; left == 1) {
    const unsigned v = static_cast<unsigned char>(bytes[i]) << 16;
    out += kAlphabet[(v >> 18) & 63];
    out += kAlphabet[(v >> 12) & 63];
  } else if (left == 2) {
    const unsigned v = static_cast<unsigned char>(bytes[i]) << 16 | static_cast<unsigned char>(bytes[i + 1])
                                                                        << 8;
    out += kAlphabet[(v >> 18) & 63];
    out += kAlphabet[(v >> 12) & 63];
    out += kAlphabet[(v >> 6) & 63];
  }
  return out;
}

Result<std::string> base64url_decode(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string out;
  unsigned bits = 0;
  int have = 0;
  for (const char c : text) {
    const auto at = kAlphabet.find(c);
    if (at == std::string_view::npos) return Error(Code::BadRequest, "illegal base64 data");
    bits = (bits << 6) | static_cast<unsigned>(at);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>((bits >> have) & 255);
    }
  }
  return out;
}

TokenSigner::TokenSigner(std::unique_ptr<Key> key, std::string issuer)
    : key_(std::move(key)), issuer_(std::move(issuer)) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_->pkey, &der);
  if (size > 0) key_id_ = base64url(sha256({reinterpret_cast<char*>(der), static_cast<std::size_t>(size)}));
  OPENSSL_free(der);
}

TokenSigner::~TokenSigner() = default;

Result<std::unique_ptr<TokenSigner>> TokenSigner::make(std::string_view key_pem, std::string issuer) {
  auto key = std::make_unique<Key>();
  if (key_pem.empty()) {
    key->pkey = EVP_RSA_gen(2048);
  } else {
    BIO* bio = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
    key->pkey = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
  }
  if (key->pkey == nullptr || EVP_PKEY_base_id(key->pkey) != EVP_PKEY_RSA) {
    return invalid("the service account key is not a readable RSA private key");
  }
  return std::unique_ptr<TokenSigner>(new TokenSigner(std::move(key), std::move(issuer)));
}

std::string TokenSigner::key_pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key_->pkey, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

Result<std::string> TokenSigner::sign(const TokenRequest& request, WallTime now) const {
  const std::int64_t issued = seconds_of(now);
  Json kubernetes = Json::object(
      {{"namespace", request.ns},
       {"serviceaccount", Json::object({{"name", request.service_account}, {"uid", request.uid}})}});
  if (request.bound_object.is_object()) {
    const std::string_view kind = request.bound_object["kind"].as_string();
    const std::string_view claim = kind == "Pod" ? "pod" : kind == "Secret" ? "secret" : "node";
    kubernetes.set(
        claim, Json::object({{"name", request.bound_object["name"]}, {"uid", request.bound_object["uid"]}}));
  }
  const Json claims =
      Json::object({{"iss", issuer_},
                    {"sub", "system:serviceaccount:" + request.ns + ":" + request.service_account},
                    {"aud", Json::strings(request.audiences)},
                    {"exp", issued + request.expiration_seconds},
                    {"iat", issued},
                    {"nbf", issued},
                    {"jti", random_uuid()},
                    {"kubernetes.io", std::move(kubernetes)}});
  const Json header = Json::object({{"alg", "RS256"}, {"kid", key_id_}});
  std::string text = base64url(header.dump()) + "." + base64url(claims.dump());

  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::size_t size = 0;
  std::string signature;
  bool done = EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_->pkey) == 1 &&
              EVP_DigestSign(context, nullptr, &size, reinterpret_cast<const unsigned char*>(text.data()),
                             text.size()) == 1;
  if (done) {
    signature.resize(size);
    done = EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                          reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  }
  EVP_MD_CTX_free(context);
  if (!done) return internal("signing a token failed");
  signature.resize(size);
  return text + "." + base64url(signature);
}

Result<TokenClaims> TokenSigner::verify(std::string_view token, WallTime now) const {
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return refused("invalid bearer token");
  }
  const auto header_text = base64url_decode(token.substr(0, first));
  const auto claims_text = base64url_decode(token.substr(first + 1, second - first - 1));
  const auto signature = base64url_decode(token.substr(second + 1));
  if (!header_text || !claims_text || !signature) return refused("invalid bearer token");
  const auto header = Json::parse(*header_text);
  const auto claims = Json::parse(*claims_text);
  if (!header || !claims || (*header)["alg"].as_string() != "RS256") return refused("invalid bearer token");

  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const std::string_view covered = token.substr(0, second);
  const bool good =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key_->pkey) == 1 &&
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature->data()), signature->size(),
                       reinterpret_cast<const unsigned char*>(covered.data()), covered.size()) == 1;
  EVP_MD_CTX_free(context);
  if (!good || (*claims)["iss"].as_string() != issuer_) return refused("invalid bearer token");

  const std::int64_t at = seconds_of(now);
  if (at > (*claims)["exp"].as_int() + kLeewaySeconds) return refused("service account token has expired");
  if (at < (*claims)["nbf"].as_int() - kLeewaySeconds)
    return refused("service account token is not valid yet");

  const Json& own = (*claims)["kubernetes.io"];
  TokenClaims out;
  out.ns = own["namespace"].as_string();
  out.service_account = own["serviceaccount"]["name"].as_string();
  out.uid = own["serviceaccount"]["uid"].as_string();
  out.token_id = (*claims)["jti"].as_string();
  read_bound(own["pod"], out.pod_name, out.pod_uid);
  read_bound(own["secret"], out.secret_name, out.secret_uid);
  read_bound(own["node"], out.node_name, out.node_uid);
  for (const Json& audience : (*claims)["aud"].elements()) out.audiences.emplace_back(audience.as_string());
  return out;
}

Json TokenSigner::key_set() const {
  return Json::object(
      {{"keys",
        Json::array({Json::object({{"use", "sig"},
                                   {"kty", "RSA"},
                                   {"kid", key_id_},
                                   {"alg", "RS256"},
                                   {"n", base64url(number_of(key_->pkey, OSSL_PKEY_PARAM_RSA_N))},
                                   {"e", base64url(number_of(key_->pkey, OSSL_PKEY_PARAM_RSA_E))}})})}});
}

}  // namespace flotilla::apiserver
