// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/api/json.hpp"

namespace flotilla::apiserver {

// Block style as Kubernetes' own encoder writes it: keys in order, lists not indented below their key.
std::string yaml_text(const api::Json& value);

}  // namespace flotilla::apiserver
