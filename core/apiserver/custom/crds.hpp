// SPDX-License-Identifier: Apache-2.0
// CustomResourceDefinitions become served resources (k8s-api 9.1, 9.2): names are accepted, the resource is
// published, and only then the definition says Established. Deleting one deletes its objects first.
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// The registry of what is stored now; before the first request.
void publish_definitions(Server& server);
// Watches the definitions for as long as the fiber runs.
Task<void> run_definitions(ServerPtr server);

}  // namespace flotilla::apiserver
