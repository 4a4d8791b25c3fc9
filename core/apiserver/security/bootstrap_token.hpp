// SPDX-License-Identifier: Apache-2.0
// Tokens by which a new cluster introduces itself: Secrets of type bootstrap.kubernetes.io/token in
// kube-system (k8s-api 10.3).
#pragma once

#include <string_view>

#include "core/apiserver/security/user.hpp"
#include "core/base/clock.hpp"
#include "core/store/store.hpp"

namespace flotilla::apiserver {

// Six characters, a dot, sixteen characters, all of them lower-case letters or digits.
bool is_bootstrap_token(std::string_view token);
// Errors: Unauthorized.
Result<UserInfo> bootstrap_user(const store::Store& store, std::string_view token, WallTime now);

}  // namespace flotilla::apiserver
