// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace flotilla::api {

// Whether anybody knows the format.
bool is_known_format(std::string_view format);
// Whether a string obeys a format of OpenAPI; formats that nobody knows are always obeyed.
bool format_matches(std::string_view format, std::string_view text);

}  // namespace flotilla::api
