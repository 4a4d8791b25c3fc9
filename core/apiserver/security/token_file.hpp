// SPDX-License-Identifier: Apache-2.0
// The static token file of --token-auth-file: lines of token,user,uid[,"group1,group2"].
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/apiserver/security/user.hpp"
#include "core/base/result.hpp"

namespace flotilla::apiserver {

// Errors: Invalid with the line that is wrong.
Result<std::map<std::string, UserInfo>> read_token_file(std::string_view text);

}  // namespace flotilla::apiserver
