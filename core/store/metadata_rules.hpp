// SPDX-License-Identifier: Apache-2.0
// The API's metadata rules as pure functions on documents (k8s-api: Metadata semantics, Deletion), and the
// errors they are answered with.
#pragma once

#include <optional>
#include <string>

#include "core/store/writer.hpp"

namespace flotilla::store {

// Finalizers of the garbage collector.
inline constexpr std::string_view kOrphanFinalizer = "orphan";
inline constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";

// A version 4 UUID in lower case.
std::string new_uid();
// `base` cut to 58 characters, and 5 random ones that spell no words.
std::string generated_name(std::string_view base);

// What the server alone decides about a new object: everything but its name.
Status prepare_create(const StoredKind& kind, WallTime now, Json& object);
// What kinds decide beyond metadata, after admission: a Namespace's finalizer, phase and label.
void complete_create(const StoredKind& kind, Json& object);

// `object` as it may replace `current`: system metadata restored, the other part restored.
Json prepare_update(const StoredKind& kind, Part part, const Json& current, Json object);
// Errors: Conflict (uid), Invalid (new finalizers while deleting, Main alone).
Status check_update(const StoredKind& kind, Part part, const Json& current, const Json& object);
// generation of `object`, which replaces `current`.
void settle_generation(const StoredKind& kind, const Json& current, Json& object);
// Equal but for resourceVersion and the times of managedFields.
bool same_content(const Json& a, const Json& b);
// Deleting, and nothing holds it any more.
bool is_released(const StoredKind& kind, const Json& object);

// What a DELETE makes of an object.
enum class DeleteStep {
  Remove,  // delete it now; `object` is what to answer
  Write,   // write `object`
  Keep,    // it waits already: nothing to do
};
DeleteStep plan_delete(const StoredKind& kind, const DeleteOptions& options, WallTime now, Json& object);
// Errors: Conflict.
Status check_preconditions(const StoredKind& kind, const DeleteOptions& options, const api::Object& object);

Error not_found_error(const StoredKind& kind, std::string_view name);
Error already_exists_error(const StoredKind& kind, std::string_view name, bool deleting);
Error name_exhausted_error(const StoredKind& kind, std::string_view name);
Error modified_error(const StoredKind& kind, std::string_view name);

}  // namespace flotilla::store
