// SPDX-License-Identifier: Apache-2.0
// What controllers and simulators of this process create is asked about as if they had come over HTTP:
// webhooks, policies, quotas. They appear as the user system:kube-controller-manager.
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// `server` outlives its writer.
store::LateAdmission controller_admission(Server& server);

}  // namespace flotilla::apiserver
