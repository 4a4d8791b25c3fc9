// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648): the standard alphabet with padding, as Go's encoding/json writes []byte, and the one of
// URLs without padding, as JSON Web Tokens use it. Line breaks are skipped, as Go skips them. Thread: pure
// functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace flotilla {

std::string base64_encode(std::string_view bytes);
std::string base64url_encode(std::string_view bytes);

// Nothing where the text is not base64; `bad_at` is then the byte that Go's encoding/base64 names.
std::optional<std::string> base64_decode(std::string_view text, std::size_t* bad_at = nullptr);
std::optional<std::string> base64url_decode(std::string_view text, std::size_t* bad_at = nullptr);

}  // namespace flotilla
