// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace flotilla::api {

// What a type is for, by its last name ("Deployment"); what a field says, wherever it stands. Empty where
// nothing is said. From config/schema/descriptions.txt.
std::string_view describe_type(std::string_view name);
std::string_view describe_field(std::string_view name);

}  // namespace flotilla::api
