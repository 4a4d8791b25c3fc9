// SPDX-License-Identifier: Apache-2.0
// Compressed answers, made piece by piece while they are sent.
#pragma once

#include <string_view>

#include "core/http/http.hpp"

namespace flotilla::http {

// "gzip", "deflate, gzip;q=0.5"; not "gzip;q=0" and not "*".
bool accepts_gzip(std::string_view accept_encoding);
// The body, streamed or not, from now on compressed at level 1, with the headers that say so.
void compress(Response& response);

}  // namespace flotilla::http
