// SPDX-License-Identifier: Apache-2.0
// The ServiceAccount plugin: who a pod is, and the token by which it proves it.
#pragma once

#include "core/apiserver/admission/builtin.hpp"

namespace flotilla::apiserver {

// Sets the account, mounts a projected token, CA and namespace, takes over pull secrets. Errors: Forbidden.
Status give_service_account(const PluginRequest& request, Json& pod);

}  // namespace flotilla::apiserver
