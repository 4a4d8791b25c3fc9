// SPDX-License-Identifier: Apache-2.0
// metadata.managedFields: who owns which field. Every write passes here exactly once: record_update for POST,
// PUT and the three plain patches, apply for server-side apply (k8s-api 5.5 to 5.9).
//
// Objects are complete documents, decoded and with defaults, in the version of the request. Both functions
// leave everything but metadata.managedFields of their result to the caller.
#pragma once

#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/api/patch/field_set.hpp"
#include "core/api/schema/schema.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

// Who writes, when and through which door.
struct FieldWriter {
  std::string manager;
  std::string api_version;  // of the request: "apps/v1"
  std::string subresource;  // "", "status", "scale"
  WallTime now{};
  // Fields that this endpoint does not write (main: status, /status: spec); nobody owns them through it.
  FieldSet ignored;
  bool typed = true;  // Go's structs are there before anybody writes; a custom resource starts from nothing
};

// The manager of a request: fieldManager, else the User-Agent up to its first slash, printable and at most
// 128 bytes; "unknown" when nothing is left.
std::string field_manager(std::string_view field_manager, std::string_view user_agent);

// `live` is the null value on create. managedFields in `fresh` are honoured as Kubernetes does: [{}] empties
// them, a readable list replaces the live ones, everything else keeps them; through a subresource the live
// ones always count.
Json record_update(const Schema& schema, const Json& live, Json fresh, const FieldWriter& writer);

struct Applied {
  Json object;             // still to be decoded, given defaults and prepared; managedFields are set
  bool unchanged = false;  // equal to live but for managedFields
};

// `live` is null when the object does not exist. `config` is the request's body.
// Errors: Conflict with a cause per field (unless force); BadRequest when the body has managedFields;
// Internal with reason "Unknown" when the body does not fit the schema.
Result<Applied> apply(const Schema& schema, const Json& live, const Json& config, const FieldWriter& writer,
                      bool force);

// Entries are equal but for their times.
bool same_but_times(const Json& managed_fields, const Json& other);

}  // namespace flotilla::api
