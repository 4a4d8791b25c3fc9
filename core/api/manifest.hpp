// SPDX-License-Identifier: Apache-2.0
// What a manifest must lose before it travels to a member, and what it must carry. Done where Works are made
// and once more where they are admitted.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::api {

// A finished Job that deletes itself in a member would be created there again and again, so Works do not
// carry its time to live.
enum class JobTtl : std::uint8_t { Keep, Remove };

// Removes what only the control plane's own copy means (uid, resourceVersion, owners, status, ...), and of
// some kinds what the cluster they come from has given them: a Job's selector, a Service's address, a token's
// data.
void prune_manifest(Json& manifest, JobTtl ttl);

// Writes down which annotations and labels were propagated, so that what disappears here disappears there,
// and gives the manifest the permanent id of its Work where it is known.
void record_managed_keys(Json& manifest, std::string_view work_id);

}  // namespace flotilla::api
