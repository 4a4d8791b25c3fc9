// SPDX-License-Identifier: Apache-2.0
// The certificate with which an agent reaches its control plane, renewed where it is kept: the Secret of the
// member, or the file that the agent was given.
#pragma once

#include <optional>

#include "core/config/settings.hpp"
#include "core/ctl/kubeconfig.hpp"

namespace flotilla::daemon {

// How the control plane is reached from now on; nullopt: nothing was due. Blocks. Errors: what the clusters
// say.
Result<std::optional<ctl::Access>> renew_agent_certificate(const config::Settings& settings,
                                                           const ctl::Access& control_plane,
                                                           const ctl::Access& member, WallTime now);

}  // namespace flotilla::daemon
