// SPDX-License-Identifier: Apache-2.0
// The key that service account tokens are signed with, and how (RFC 7518 section 3.1): ES256 for the P-256
// keys that are made here, RS256 for RSA keys that were brought along. The key decides the algorithm, never a
// token's header. Thread: any; immutable.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::apiserver {

class SigningKey {
 public:
  static Result<SigningKey> generate();
  // PEM, P-256 or RSA. Errors: Invalid.
  static Result<SigningKey> read(std::string_view pem);

  std::string_view algorithm() const { return rsa_ ? "RS256" : "ES256"; }
  // The SHA-256 of the public key's DER form, as kube-apiserver names keys.
  const std::string& id() const { return id_; }
  // The signature in the form that a JSON Web Signature carries.
  Result<std::string> sign(std::string_view text) const;
  bool verify(std::string_view text, std::string_view signature) const;
  std::string pem() const;
  // The public half as a JSON Web Key (RFC 7517).
  api::Json public_jwk() const;

 private:
  explicit SigningKey(EVP_PKEY* key);

  std::shared_ptr<EVP_PKEY> key_;
  bool rsa_ = false;
  std::string id_;
};

}  // namespace flotilla::apiserver
