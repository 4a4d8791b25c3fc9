// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/tokens.hpp"

#include <openssl/rand.h>

#include <chrono>

#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

using api::Json;

constexpr std::int64_t kLeewaySeconds = 60;

Error refused(std::string_view why) {
  return Error(Code::Unauthorized, std::string(why));
}

std::int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
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

void read_bound(const Json& claim, std::string& name, std::string& uid) {
  name = claim["name"].as_string();
  uid = claim["uid"].as_string();
}

}  // namespace

Result<std::unique_ptr<TokenSigner>> TokenSigner::make(std::string_view key_pem, std::string issuer) {
  Result<SigningKey> key = key_pem.empty() ? SigningKey::generate() : SigningKey::read(key_pem);
  if (!key) return std::move(key).error();
  return std::unique_ptr<TokenSigner>(new TokenSigner(*std::move(key), std::move(issuer)));
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
  if (!request.node_name.empty()) {
    Json node = Json::object({{"name", request.node_name}});
    if (!request.node_uid.empty()) node.set("uid", request.node_uid);
    kubernetes.set("node", std::move(node));
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
  const Json header = Json::object({{"alg", key_.algorithm()}, {"kid", key_.id()}});
  std::string text = base64url_encode(header.dump()) + "." + base64url_encode(claims.dump());
  Result<std::string> signature = key_.sign(text);
  if (!signature) return signature;
  return text + "." + base64url_encode(*signature);
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
  if (!header || !claims || (*header)["alg"].as_string() != key_.algorithm())
    return refused("invalid bearer token");

  if (!key_.verify(token.substr(0, second), *signature) || (*claims)["iss"].as_string() != issuer_)
    return refused("invalid bearer token");

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
  return Json::object({{"keys", Json::array({key_.public_jwk()})}});
}

}  // namespace flotilla::apiserver
