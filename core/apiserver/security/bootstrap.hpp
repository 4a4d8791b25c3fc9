// SPDX-License-Identifier: Apache-2.0
// What a fresh server must have before its first request: namespaces, RBAC roles and bindings. What is there
// already stays as it is.
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

Task<Status> create_bootstrap_objects(ServerPtr server);

}  // namespace flotilla::apiserver
