// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/api/validation/field_view.hpp"

namespace flotilla::api::validation {

// The rules of structural schemas, for an openAPIV3Schema.
void validate_structural(const FieldView& root);

}  // namespace flotilla::api::validation
