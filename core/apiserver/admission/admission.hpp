// SPDX-License-Identifier: Apache-2.0
// Admission in process: what a real server's default plugins do that clients notice, then what the daemon
// adds (Karmada's defaulting and validation).
#pragma once

#include "core/apiserver/write/write_options.hpp"

namespace flotilla::apiserver {

Status admit_create(Server& server, Call& call, Json& object, const RequestOptions& options);
Status admit_update(Server& server, Call& call, const Json& live, Json& object,
                    const RequestOptions& options);
// finalize, approval, ephemeralcontainers, status of certificate requests.
Status admit_subresource(const Server& server, const Call& call, const Json& live, Json& object);
// Built-in plugins that judge the finished object: limits, pod security. `live` is null on create.
Status review_write(const Server& server, Call& call, const Json& live, const Json& object);
Status admit_delete(Server& server, const Call& call, const Json& live, bool dry_run);
// The right to create that PUT and apply of a missing object need. Errors: Forbidden.
Status may_create_too(const Server& server, const Call& call);
// What only the server says of a new object, after all else: who asks for a certificate.
void complete_new(const Call& call, Json& object);
// What has to know of a write at once.
void after_write(Server& server, const Resource& resource);

}  // namespace flotilla::apiserver
