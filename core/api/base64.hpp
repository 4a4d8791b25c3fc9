// SPDX-License-Identifier: Apache-2.0
// Standard base64 with padding, as Go's encoding/json writes []byte.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace flotilla::api {

std::string base64_encode(std::string_view bytes);
// Line breaks are skipped; nothing where the text is not base64, `bad_at` is then the first bad byte.
std::optional<std::string> base64_decode(std::string_view text, std::size_t* bad_at = nullptr);

}  // namespace flotilla::api
