// SPDX-License-Identifier: Apache-2.0
// Who a request comes from (k8s-api 10.1, 10.4): client certificate, bearer token (static or of a service
// account), else anonymous; then impersonation, which the authorizer must allow.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/apiserver/security/anonymous.hpp"
#include "core/apiserver/security/authorizer.hpp"
#include "core/apiserver/security/tokens.hpp"
#include "core/apiserver/security/user.hpp"
#include "core/http/http.hpp"

namespace flotilla::apiserver {

class Authenticator {
 public:
  Authenticator(store::Store& store, std::unique_ptr<TokenSigner> signer,
                std::map<std::string, UserInfo> static_tokens, Anonymous anonymous = Anonymous::Everywhere);

  // Errors: Unauthorized.
  Result<UserInfo> authenticate(const http::Request& request, WallTime now) const;
  // The user that Impersonate-* headers name, or `requester` itself. Errors: Forbidden; Internal when groups
  // are given without a user.
  Result<UserInfo> impersonate(const http::Request& request, const UserInfo& requester,
                               const Authorizer& authorizer) const;

  // What a TokenReview answers. Errors: Unauthorized with the text for status.error.
  struct Reviewed {
    UserInfo user;
    std::vector<std::string> audiences;
  };
  Result<Reviewed> review(std::string_view token, const std::vector<std::string>& audiences,
                          WallTime now) const;

  const TokenSigner& signer() const { return *signer_; }

 private:
  Result<UserInfo> user_of(const TokenClaims& claims) const;
  bool admits_anonymous(const http::Request& request) const;

  store::Store& store_;
  std::unique_ptr<TokenSigner> signer_;
  std::map<std::string, UserInfo> static_tokens_;
  Anonymous anonymous_;
};

}  // namespace flotilla::apiserver
