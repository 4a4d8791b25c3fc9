// SPDX-License-Identifier: Apache-2.0
// JSON web signatures as bootstrap tokens make them over kube-public/cluster-info. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace flotilla::http {

// Over `content`, with the content left out: HS256 with the token's secret, its id as the key's.
std::string detached_signature(std::string_view content, std::string_view token_id,
                               std::string_view token_secret);
// In constant time.
bool is_signed_by(std::string_view signature, std::string_view content, std::string_view token_secret);

}  // namespace flotilla::http
