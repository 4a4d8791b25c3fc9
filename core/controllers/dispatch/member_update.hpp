// SPDX-License-Identifier: Apache-2.0
// What happens to an object that already exists in a member. Pure.
#pragma once

#include <optional>

#include "core/api/json.hpp"
#include "core/base/result.hpp"
#include "core/interpreter/interpreter.hpp"

namespace flotilla::controllers {

// Whether the member's object may be changed: it is managed, or the manifest says overwrite.
bool may_overwrite(const api::Json& desired, const api::Json& observed);

// Has the member's object every label and annotation of the manifest? The annotations that list what is
// managed are among them, so nothing is left to be taken away either.
bool carries_metadata_of(const api::Json& manifest, const api::Json& observed);

// The object to send, with what the member itself owns retained; nullopt: the member has it already.
// Errors: Conflict (it belongs to somebody else there), or what the interpreter says.
Result<std::optional<api::Json>> plan_member_update(std::string_view cluster, const api::Json& desired,
                                                    const api::Json& observed,
                                                    const interpreter::Interpreter& interpreter);

// The manifest without any mark of Karmada: what stays behind when propagation ends and resources are
// preserved.
api::Json without_marks(api::Json manifest);

}  // namespace flotilla::controllers
