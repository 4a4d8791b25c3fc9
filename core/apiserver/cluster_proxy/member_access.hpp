// SPDX-License-Identifier: Apache-2.0
// How a user's request gets into a member cluster: at the Cluster's endpoint, with the token of the account
// that may impersonate there, in the user's name. What the member allows is the member's to say.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/api/object.hpp"
#include "core/apiserver/errors.hpp"
#include "core/apiserver/security/user.hpp"
#include "core/async/executor.hpp"
#include "core/http/http.hpp"

namespace flotilla::apiserver {

using api::Json;

// Null: there is no such secret.
using FindSecret = std::function<api::ObjectPtr(const std::string& ns, const std::string& name)>;

struct MemberAccess {
  http::ClientOptions options;  // endpoint, authorities, proxy
  std::string token;            // of the impersonator
};
// Errors, in Karmada's words: no endpoint, no impersonator, secrets that are missing or lack what is needed.
Result<MemberAccess> read_member_access(const Json& cluster, const FindSecret& find_secret);

// `values` of spec.proxyHeader are lists, split at commas.
http::Headers proxy_headers_of(const Json& proxy_header);
// The token, and who is to be impersonated; groups that everybody has are left out.
void add_impersonation(http::Headers& headers, const UserInfo& user, const std::string& token);

// The clients of all members, kept for as long as they lead where they did. Thread: any.
class MemberClients {
 public:
  std::shared_ptr<http::Client> client(const Executor& executor, const std::string& cluster,
                                       http::ClientOptions options);

 private:
  struct Kept {
    http::ClientOptions options;
    std::shared_ptr<http::Client> client;
  };
  using All = std::map<std::string, std::shared_ptr<const Kept>>;
  std::atomic<std::shared_ptr<const All>> all_;
};

}  // namespace flotilla::apiserver
