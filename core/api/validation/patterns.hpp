// SPDX-License-Identifier: Apache-2.0
// Regular expressions as Go and RE2 read them: linear in the text, whatever the pattern.
#pragma once

#include <string>
#include <string_view>

namespace flotilla::api {

// Somewhere in the text. What is no pattern matches everything: its definition was refused or comes from a
// newer release. Compiled patterns are kept; any thread.
bool pattern_matches(std::string_view pattern, std::string_view text);

// What Go says of a pattern that is none: "error parsing regexp: missing closing ): `(`"; empty when it is
// one.
std::string pattern_error(std::string_view pattern);

}  // namespace flotilla::api
