// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/api/validation/field_view.hpp"

namespace flotilla::api::validation {

// A PersistentVolume's spec; `in_place` where a VolumeAttachment holds it. `name` is the volume's.
void validate_volume_spec(const FieldView& spec, std::string_view name, bool in_place);

}  // namespace flotilla::api::validation
