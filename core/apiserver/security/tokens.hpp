// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens of service accounts, signed and checked with one key. Only its algorithm is ever accepted,
// whatever a token's header says.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/apiserver/security/signing_key.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::apiserver {

struct TokenRequest {
  std::string ns, service_account, uid;
  std::vector<std::string> audiences;
  std::int64_t expiration_seconds = 3600;
  api::Json bound_object;           // {"kind", "name", "uid"} or null
  std::string node_name, node_uid;  // of the pod that it is bound to
};

// What a token that was checked says.
struct TokenClaims {
  std::string ns, service_account, uid, token_id;
  std::string pod_name, pod_uid, secret_name, secret_uid, node_name, node_uid;
  std::vector<std::string> audiences;
};

class TokenSigner {
 public:
  // `key_pem` empty: a new key that lives as long as this object. Errors: Invalid.
  static Result<std::unique_ptr<TokenSigner>> make(std::string_view key_pem, std::string issuer);

  const std::string& issuer() const { return issuer_; }
  Result<std::string> sign(const TokenRequest& request, WallTime now) const;
  // Signature, issuer and times. Audiences and the objects it names are for the caller to judge.
  // Errors: Unauthorized.
  Result<TokenClaims> verify(std::string_view token, WallTime now) const;
  // {"keys": [...]}.
  api::Json key_set() const;
  std::string key_pem() const { return key_.pem(); }
  std::string_view algorithm() const { return key_.algorithm(); }

 private:
  TokenSigner(SigningKey key, std::string issuer) : key_(std::move(key)), issuer_(std::move(issuer)) {}

  SigningKey key_;
  std::string issuer_;
};

}  // namespace flotilla::apiserver
