// SPDX-License-Identifier: Apache-2.0
// Taking a cluster out of a control plane, in the order of karmadactl: its Works, its Cluster, and by force
// what holds them.
#pragma once

#include <string>

#include "core/ctl/session.hpp"

namespace flotilla::ctl {

// Deletes the Cluster and waits for its end. Errors: Timeout; with `force` the finalizers of its Works, of
// its execution namespace and of itself are stripped then, whatever becomes of it.
Status remove_cluster(Session& control_plane, const std::string& name, SteadyTime until, bool force);

// Deletes the Works of its execution namespace and waits until those that were there are gone. Errors as
// above.
Status remove_works(Session& control_plane, const std::string& name, SteadyTime until, bool force);

}  // namespace flotilla::ctl
