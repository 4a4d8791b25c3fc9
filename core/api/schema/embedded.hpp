// SPDX-License-Identifier: Apache-2.0
// The tables of config/schema as they lie in the program's read-only data.
#pragma once

#include <string_view>

namespace flotilla::api::embedded {

std::string_view types();
std::string_view resources();
std::string_view kinds();
std::string_view protobuf();
std::string_view defaults();
std::string_view columns();
std::string_view time_zones();
std::string_view descriptions();

}  // namespace flotilla::api::embedded
