// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/authenticator.hpp"

#include <unistd.h>

#include <algorithm>

#include "core/apiserver/errors.hpp"
#include "core/apiserver/request_info.hpp"
#include "core/apiserver/security/bootstrap_token.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kExtraPrefix = "impersonate-extra-";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

// The token of "Bearer TOKEN", empty when there is none.
std::string_view bearer_token(const http::Request& request) {
  std::string_view text = request.headers.get("Authorization");
  const auto space = text.find(' ');
  if (space == std::string_view::npos || lower(text.substr(0, space)) != "bearer") return {};
  text.remove_prefix(space + 1);
  return text.substr(0, text.find(' '));
}

void add_group(UserInfo& user, std::string_view group) {
  if (!user.in_group(group)) user.groups.emplace_back(group);
}

// namespace and name of "system:serviceaccount:NS:NAME".
std::optional<std::pair<std::string, std::string>> service_account_of(std::string_view user) {
  if (!user.starts_with(kServiceAccountPrefix)) return std::nullopt;
  user.remove_prefix(kServiceAccountPrefix.size());
  const auto colon = user.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return std::pair(std::string(user.substr(0, colon)), std::string(user.substr(colon + 1)));
}

void add_service_account_groups(UserInfo& user, std::string_view ns) {
  add_group(user, "system:serviceaccounts");
  add_group(user, "system:serviceaccounts:" + std::string(ns));
}

std::string audience_list(const std::vector<std::string>& values) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : " ") + quoted(values[i]);
  return out + "]";
}

Error impersonation_refused(const UserInfo& requester, const Attributes& attributes) {
  return object_forbidden({attributes.group, attributes.resource}, attributes.name,
                          forbidden_message(requester, attributes));
}

Attributes impersonation_of(std::string_view user) {
  Attributes attributes;
  attributes.verb = "impersonate";
  if (const auto account = service_account_of(user)) {
    attributes.resource = "serviceaccounts";
    attributes.ns = account->first;
    attributes.name = account->second;
  } else {
    attributes.resource = "users";
    attributes.name = user;
  }
  return attributes;
}

}  // namespace

Authenticator::Authenticator(store::Store& store, std::unique_ptr<TokenSigner> signer,
                             std::map<std::string, UserInfo> static_tokens, Anonymous anonymous)
    : store_(store),
      signer_(std::move(signer)),
      static_tokens_(std::move(static_tokens)),
      anonymous_(anonymous) {}

bool Authenticator::admits_anonymous(const http::Request& request) const {
  if (anonymous_ == Anonymous::HealthOnly)
    return request.path == "/healthz" || request.path == "/livez" || request.path == "/readyz";
  return anonymous_ == Anonymous::Everywhere;
}

Result<UserInfo> Authenticator::authenticate(const http::Request& request, WallTime now) const {
  if (request.peer.certificate_verified && !request.peer.common_name.empty()) {
    UserInfo user{request.peer.common_name, "", request.peer.organizations, {}};
    add_group(user, kAuthenticated);
    return user;
  }
  const std::string_view token = bearer_token(request);
  if (!token.empty()) {
    auto reviewed = review(token, {}, now);
    if (!reviewed) return unauthorized();
    return std::move(reviewed->user);
  }
  // The Unix socket: root and whoever runs the daemon could read the administrator's key anyway.
  if (request.peer.local_user && (*request.peer.local_user == 0 || *request.peer.local_user == ::geteuid())) {
    return UserInfo{"system:admin", "", {std::string(kMasters), std::string(kAuthenticated)}, {}};
  }
  if (!admits_anonymous(request)) return unauthorized();
  return UserInfo{std::string(kAnonymous), "", {std::string(kUnauthenticated)}, {}};
}

Result<Authenticator::Reviewed> Authenticator::review(std::string_view token,
                                                      const std::vector<std::string>& audiences,
                                                      WallTime now) const {
  const std::vector<std::string> wanted = audiences.empty() ? std::vector{signer_->issuer()} : audiences;
  if (const auto it = static_tokens_.find(std::string(token)); it != static_tokens_.end()) {
    UserInfo user = it->second;
    add_group(user, kAuthenticated);
    return Reviewed{std::move(user), wanted};
  }
  if (is_bootstrap_token(token)) {
    auto user = bootstrap_user(store_, token, now);
    if (!user) return std::move(user).error();
    add_group(*user, kAuthenticated);
    return Reviewed{*std::move(user), wanted};
  }
  const auto claims = signer_->verify(token, now);
  if (!claims) return Error(Code::Unauthorized, claims.error().message());
  Reviewed out;
  for (const std::string& audience : wanted) {
    if (std::find(claims->audiences.begin(), claims->audiences.end(), audience) != claims->audiences.end()) {
      out.audiences.push_back(audience);
    }
  }
  if (out.audiences.empty()) {
    return Error(Code::Unauthorized,
                 "[invalid bearer token, token audiences " + audience_list(claims->audiences) +
                     " is invalid for the target audiences " + audience_list(wanted) + "]");
  }
  auto user = user_of(*claims);
  if (!user) return std::move(user).error();
  out.user = *std::move(user);
  return out;
}

Result<UserInfo> Authenticator::user_of(const TokenClaims& claims) const {
  const auto holds = [&](std::string_view resource, std::string_view ns, const std::string& name,
                         const std::string& uid) {
    if (name.empty()) return true;
    const auto object = store_.get(store::collection_of("", resource), ns, name);
    return object && object->uid() == uid;
  };
  const auto account =
      store_.get(store::collection_of("", "serviceaccounts"), claims.ns, claims.service_account);
  if (!account || account->uid() != claims.uid || account->deleting()) {
    return Error(Code::Unauthorized, "[invalid bearer token, service account token has been invalidated]");
  }
  if (!holds("pods", claims.ns, claims.pod_name, claims.pod_uid) ||
      !holds("secrets", claims.ns, claims.secret_name, claims.secret_uid) ||
      // A pod's token names its node too, which may go before the pod does.
      (claims.pod_name.empty() && !holds("nodes", "", claims.node_name, claims.node_uid))) {
    return Error(Code::Unauthorized, "[invalid bearer token, service account token has been invalidated]");
  }
  UserInfo user;
  user.name = std::string(kServiceAccountPrefix) + claims.ns + ":" + claims.service_account;
  user.uid = claims.uid;
  add_service_account_groups(user, claims.ns);
  add_group(user, kAuthenticated);
  if (!claims.node_name.empty()) {
    user.extra["authentication.kubernetes.io/node-name"] = {claims.node_name};
    if (!claims.node_uid.empty()) user.extra["authentication.kubernetes.io/node-uid"] = {claims.node_uid};
  }
  if (!claims.pod_name.empty()) {
    user.extra["authentication.kubernetes.io/pod-name"] = {claims.pod_name};
    user.extra["authentication.kubernetes.io/pod-uid"] = {claims.pod_uid};
  }
  return user;
}

Result<UserInfo> Authenticator::impersonate(const http::Request& request, const UserInfo& requester,
                                            const Authorizer& authorizer) const {
  const std::string_view name = request.headers.get("Impersonate-User");
  const auto groups = request.headers.all("Impersonate-Group");
  UserInfo user;
  for (const auto& [header, value] : request.headers.fields()) {
    const std::string key = lower(header);
    if (!key.starts_with(kExtraPrefix)) continue;
    const std::string_view raw = std::string_view(key).substr(kExtraPrefix.size());
    user.extra[percent_decode(raw, false).value_or(std::string(raw))].push_back(value);
  }
  user.uid = request.headers.get("Impersonate-Uid");
  if (name.empty()) {
    if (groups.empty() && user.extra.empty() && user.uid.empty()) return requester;
    return unexpected("Internal Server Error: " + quoted(request.path) +
                      ": requested without impersonating a user");
  }
  const auto refuse = [&](const Attributes& attributes) {
    return !authorizer.authorize(requester, attributes).allowed;
  };
  Attributes who = impersonation_of(name);
  if (refuse(who)) return impersonation_refused(requester, who);
  user.name = name;
  for (const std::string_view group : groups) {
    Attributes attributes{.verb = "impersonate", .resource = "groups", .name = std::string(group)};
    if (refuse(attributes)) return impersonation_refused(requester, attributes);
    add_group(user, group);
  }
  for (const auto& [key, values] : user.extra) {
    for (const std::string& value : values) {
      Attributes attributes{.verb = "impersonate",
                            .group = "authentication.k8s.io",
                            .resource = "userextras",
                            .subresource = key,
                            .name = value};
      if (refuse(attributes)) return impersonation_refused(requester, attributes);
    }
  }
  if (!user.uid.empty()) {
    Attributes attributes{
        .verb = "impersonate", .group = "authentication.k8s.io", .resource = "uids", .name = user.uid};
    if (refuse(attributes)) return impersonation_refused(requester, attributes);
  }
  if (const auto account = service_account_of(name); account && groups.empty()) {
    add_service_account_groups(user, account->first);
  }
  if (name == kAnonymous) {
    add_group(user, kUnauthenticated);
  } else if (!user.in_group(kUnauthenticated)) {
    add_group(user, kAuthenticated);
  }
  return user;
}

}  // namespace flotilla::apiserver
