// SPDX-License-Identifier: Apache-2.0
// GET, LIST and WATCH: from memory, without parsing or encoding where the stored form is what is asked for.
#pragma once

#include "core/apiserver/read/selection.hpp"
#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

Task<http::Response> serve_get(ServerPtr server, CallPtr call);
Task<http::Response> serve_list(ServerPtr server, CallPtr call);
Task<http::Response> serve_watch(ServerPtr server, CallPtr call);

// resourceVersion as a number: 0 when absent or "0". Errors: as a real server words them, code 500.
Result<std::uint64_t> read_version(std::string_view text);
// Waits, at most three seconds, until the store has reached `version`. Errors: Timeout (too large).
Task<Status> wait_for_version(ServerPtr server, std::uint64_t version);
// The collection as it was at `at`. Errors: Gone when that is compacted.
Task<Result<store::Snapshot>> list_at(ServerPtr server, store::Collection collection, std::string ns,
                                      Revision at);
// Whether what has to be a number is one; before anything else of the options is looked at.
Status check_list_numbers(const Query& query);
// What resourceVersionMatch, limit and continue may not say. Errors: Invalid.
Status check_list_options(const Query& query, bool watch);

}  // namespace flotilla::apiserver
