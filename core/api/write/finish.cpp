// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/api/defaulting/defaulting.hpp"
#include "core/api/object.hpp"
#include "core/api/patch/managed_fields.hpp"
#include "core/api/schema/decode.hpp"
#include "core/api/validation/validation.hpp"
#include "core/api/validation/warnings.hpp"
#include "core/api/write/services.hpp"
#include "core/api/write/strategy.hpp"
#include "core/api/write/write.hpp"

namespace flotilla::api {
namespace {

const Json& read(const Json& object) {
  return object;
}

bool is_service(const Resource& resource) {
  return resource.group.empty() && resource.kind == "Service";
}

// Equal but for the times of managedFields: then those of the stored object stay.
bool same_as_stored(const Json& live, Json& object) {
  Json a = live, b = object;
  a["metadata"].erase("managedFields");
  b["metadata"].erase("managedFields");
  if (!(a == b)) return false;
  const Json& stored = live.at({"metadata", "managedFields"});
  if (!same_but_times(stored, read(object).at({"metadata", "managedFields"}))) return false;
  if (!stored.is_null()) object["metadata"].set("managedFields", stored);
  return true;
}

}  // namespace

Result<Written> finish(const Resource& resource, const Json& live, Draft draft, const WriteOptions& options) {
  Json& object = draft.object;
  if (live.is_null()) {
    prepare_for_create(resource, object, options);
  } else {
    prepare_for_update(resource, live, object, options);
  }
  FieldErrors errors = validate(resource, object, live, options.subresource, options.rules);
  if (Status valid = errors.to_status(resource, name_of(object)); !valid) return std::move(valid).error();
  if (is_service(resource) && options.subresource.empty()) {
    allocate_for_service(live, object, options, errors);
    if (Status given = errors.to_status(resource, name_of(object)); !given) return std::move(given).error();
  }
  Written out;
  out.warnings = object_warnings(resource, object, live, options.subresource);
  // What is stored is given its defaults again when it is read.
  if (resource.traits.typed) set_defaults(resource, object);
  out.unchanged = !live.is_null() && same_as_stored(live, object);
  out.object = std::move(object);
  return out;
}

void refresh(const Resource& resource, Json& object) {
  if (resource.traits.typed) return;
  auto decoded = decode(*resource.schema, std::move(object), {false, nullptr});
  if (!decoded) return;
  object = std::move(decoded->object);
  set_custom_defaults(*resource.schema, object);
}

}  // namespace flotilla::api
