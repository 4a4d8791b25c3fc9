// SPDX-License-Identifier: Apache-2.0
// POST, PUT, PATCH and DELETE of objects and of their status: the pure pipeline of core/api/write inside a
// compare-and-swap loop, with admission in its middle (k8s-api 4, 5, 8.1, 11.1).
#pragma once

#include <functional>
#include <optional>

#include "core/apiserver/write/write_options.hpp"

namespace flotilla::apiserver {

Task<http::Response> serve_create(ServerPtr server, CallPtr call);
Task<http::Response> serve_update(ServerPtr server, CallPtr call);
Task<http::Response> serve_patch(ServerPtr server, CallPtr call);
Task<http::Response> serve_delete(ServerPtr server, CallPtr call);
Task<http::Response> serve_delete_collection(ServerPtr server, CallPtr call);

// One stored object changed by `draft`, which sees the live object in the version of `call` (null: none) and
// may be called again after a conflict.
using DraftFunction = std::function<Result<api::Draft>(const Json& live)>;
struct Committed {
  ObjectPtr object;  // what is stored now; null after a dry run
  Json dry_object;   // of a dry run
  bool created = false;
  bool deleted = false;  // the last finalizer went: `object` is the final state
};
Task<Result<Committed>> commit_change(ServerPtr server, CallPtr call, RequestOptions options,
                                      DraftFunction draft, bool may_create);
Task<Result<Committed>> commit_create(ServerPtr server, CallPtr call, RequestOptions options,
                                      api::Draft draft);

// DeleteOptions of a request.
struct DeleteRequest {
  std::string uid;
  std::string version;
  std::string propagation;
  std::optional<bool> orphan_dependents;
  std::optional<std::int64_t> grace_seconds;
  bool dry_run = false;
};
Result<DeleteRequest> read_delete_request(const Server& server, const Call& call);
struct Removed {
  ObjectPtr object;
  bool gone = false;
};
Task<Result<Removed>> commit_delete(ServerPtr server, CallPtr call, std::string ns, std::string name,
                                    DeleteRequest request);

}  // namespace flotilla::apiserver
