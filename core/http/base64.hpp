// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648), by OpenSSL. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace flotilla::http {

std::string base64_encode(std::string_view bytes);
// Errors: Invalid.
Result<std::string> base64_decode(std::string_view text);

}  // namespace flotilla::http
