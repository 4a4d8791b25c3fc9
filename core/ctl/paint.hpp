// SPDX-License-Identifier: Apache-2.0
// Colours of standard output, always doubled by a word or symbol.
#pragma once

#include <string>
#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::ctl {

enum class Colour { Plain, Green, Red, Yellow, Dim, Bold };

// The text in that colour where standard output is a terminal that wants it.
std::string paint(Colour colour, std::string_view text);

// One value on one line: texts as they are, all else as JSON; long ones are cut.
std::string on_one_line(const api::Json& value);

}  // namespace flotilla::ctl
