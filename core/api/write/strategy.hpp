// SPDX-License-Identifier: Apache-2.0
// What each kind does to an object before it is validated: fields that clients may not set are reset, fields
// of the other endpoint are taken from the stored object, generation moves.
#pragma once

#include <string_view>

#include "core/api/json.hpp"
#include "core/api/patch/field_set.hpp"
#include "core/api/schema/registry.hpp"
#include "core/api/write/write.hpp"

namespace flotilla::api {

// Fields that an endpoint does not write: nobody owns them through it.
FieldSet ignored_fields(const Resource& resource, std::string_view subresource);

void prepare_for_create(const Resource& resource, Json& object, const WriteOptions& options);
void prepare_for_update(const Resource& resource, const Json& live, Json& object,
                        const WriteOptions& options);

}  // namespace flotilla::api
