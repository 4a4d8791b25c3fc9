// SPDX-License-Identifier: Apache-2.0
// The values that a kind's fields take when nobody says anything. Idempotent: what was defaulted once stays
// as it is, which is what makes no-op updates and client-side apply stable.
#pragma once

#include "core/api/json.hpp"
#include "core/api/schema/registry.hpp"

namespace flotilla::api {

// Built-in types: constants from config/schema/defaults.txt and the rules of rules.cpp. `object` has been
// decoded (absent means unset).
void set_defaults(const Schema& schema, Json& object);

// Custom resources: `default` of the schema where a member is absent, and where it is null but may not be.
void set_custom_defaults(const Schema& schema, Json& value);

// Whichever of the two the resource wants.
inline void set_defaults(const Resource& resource, Json& object) {
  if (resource.traits.typed) {
    set_defaults(*resource.schema, object);
  } else {
    set_custom_defaults(*resource.schema, object);
  }
}

}  // namespace flotilla::api
