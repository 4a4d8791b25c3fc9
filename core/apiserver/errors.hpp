// SPDX-License-Identifier: Apache-2.0
// Errors as Kubernetes words them, and the Status object that carries one to a client.
//
// An Error whose details are present but empty shows `details: {}`; kNoReason as the reason leaves the reason
// out, which is how the API server reports what it did not expect (code 500 and nothing but a message).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/error.hpp"

namespace flotilla::apiserver {

inline constexpr std::string_view kNoReason = "Unknown";

// "deployments.apps", "configmaps".
struct GroupResource {
  std::string group;
  std::string resource;
  std::string text() const { return group.empty() ? resource : resource + "." + group; }
};

int http_code(const Error& error);
// {"kind":"Status",...}. `continue_token` goes to metadata.continue.
api::Json status_object(const Error& error, std::string_view continue_token = {});

Error object_not_found(const GroupResource& resource, std::string_view name);
Error object_exists(const GroupResource& resource, std::string_view name, bool being_deleted = false);
Error object_conflict(const GroupResource& resource, std::string_view name, std::string_view message);
// The stale resourceVersion.
Error object_modified(const GroupResource& resource, std::string_view name);
Error object_forbidden(const GroupResource& resource, std::string_view name, std::string_view message);
// `kind` and `group` as they stand in the message: "Deployment.apps \"a\" is invalid: ...".
Error object_invalid(std::string_view group, std::string_view kind, std::string_view name,
                     std::vector<Cause> causes);
// Options of a request: ListOptions.meta.k8s.io.
Error options_invalid(std::string_view kind, std::vector<Cause> causes);
// 404 of a path that no resource answers, 405 of a method that it does not: what clients make of bare texts.
Error path_not_found();
Error method_not_allowed();
// 500 without a reason.
Error unexpected(std::string message);
Error unauthorized();
Error version_too_large(std::uint64_t requested, std::uint64_t current);
Error not_acceptable_kind(std::string message);
Error unsupported_media(std::string_view accepted);

// Go's %q.
std::string quoted(std::string_view text);

}  // namespace flotilla::apiserver
