// SPDX-License-Identifier: Apache-2.0
// The subset of JSON Schema 2020-12 in which plugins describe their configuration: type, enum, const,
// required, properties, additionalProperties, items, minItems, maxItems, minimum, maximum, exclusiveMinimum,
// exclusiveMaximum, minLength, maxLength, pattern, anyOf, oneOf, allOf, default. Annotations (title,
// description, x-flotilla-*) are allowed everywhere, other keywords are ignored.
#pragma once

#include <string_view>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::plugin {

// The configuration with defaults filled in. A null configuration is an empty object. Errors: Invalid, every
// fault in one message, each with its path below `where`: "storage.sqlite.cacheMb: must be at least 1".
Result<api::Json> validate_config(const api::Json& schema, api::Json config, std::string_view where);

}  // namespace flotilla::plugin
