// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/bootstrap_token.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::size_t kIdLength = 6;
constexpr std::size_t kSecretLength = 16;
constexpr std::string_view kDefaultGroup = "system:bootstrappers";

bool is_word(std::string_view text, std::size_t length) {
  return text.size() == length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
         });
}

Error refused() {
  return Error(Code::Unauthorized, "invalid bearer token");
}

}  // namespace

bool is_bootstrap_token(std::string_view token) {
  const auto dot = token.find('.');
  return dot != std::string_view::npos && is_word(token.substr(0, dot), kIdLength) &&
         is_word(token.substr(dot + 1), kSecretLength);
}

Result<UserInfo> bootstrap_user(const store::Store& store, std::string_view token, WallTime now) {
  const std::string id(token.substr(0, kIdLength));
  const std::string_view secret = token.substr(kIdLength + 1);
  const auto object = store.get(store::collection_of("", "secrets"), "kube-system", "bootstrap-token-" + id);
  if (!object || object->deleting()) return refused();
  const auto content = object->content();
  if ((*content)["type"].as_string() != "bootstrap.kubernetes.io/token") return refused();
  const auto value = [&](std::string_view key) {
    return base64_decode((*content)["data"][key].as_string()).value_or("");
  };
  const std::string held = value("token-secret");
  const bool same =
      held.size() == secret.size() && CRYPTO_memcmp(held.data(), secret.data(), held.size()) == 0;
  if (!same || value("token-id") != id || value("usage-bootstrap-authentication") != "true") return refused();
  if (const std::string until = value("expiration"); !until.empty()) {
    const auto end = parse_time(until);
    if (!end || now >= *end) return refused();
  }
  UserInfo user{"system:bootstrap:" + id, "", {}, {}};
  std::string_view groups;
  const std::string extra = value("auth-extra-groups");
  for (groups = extra; !groups.empty();) {
    const auto comma = groups.find(',');
    std::string_view group = groups.substr(0, comma);
    while (group.starts_with(' ')) group.remove_prefix(1);
    while (group.ends_with(' ')) group.remove_suffix(1);
    // Nobody becomes an administrator by a bootstrap token.
    if (!group.empty() && !group.starts_with("system:bootstrappers:")) return refused();
    if (!group.empty() && !user.in_group(group)) user.groups.emplace_back(group);
    groups = comma == std::string_view::npos ? std::string_view() : groups.substr(comma + 1);
  }
  user.groups.emplace_back(kDefaultGroup);
  std::sort(user.groups.begin(), user.groups.end());
  return user;
}

}  // namespace flotilla::apiserver
