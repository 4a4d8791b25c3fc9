// SPDX-License-Identifier: Apache-2.0
// base64url without padding (RFC 4648 section 5), as JSON Web Tokens use it.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace flotilla::apiserver {

std::string base64url(std::string_view bytes);
// Errors: BadRequest.
Result<std::string> base64url_decode(std::string_view text);

}  // namespace flotilla::apiserver
