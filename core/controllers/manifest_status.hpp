// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/api/json.hpp"
#include "core/base/result.hpp"
#include "core/interpreter/interpreter.hpp"

namespace flotilla::controllers {

// What Work.status.manifestStatuses says of one manifest, given its object in the member:
// {identifier, status?, health}. Errors: what interpreting the status said.
Result<api::Json> manifest_status(const interpreter::Interpreter& interpreter, const api::Json& manifest,
                                  std::int64_t ordinal, const api::Json& observed);

}  // namespace flotilla::controllers
