// SPDX-License-Identifier: Apache-2.0
// Members as the command line reaches them: through the control plane's proxy, with its rights there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/ctl/command.hpp"

namespace flotilla::ctl {

inline constexpr const char* kClustersPath = "/apis/cluster.karmada.io/v1alpha1/clusters";

// The names of all clusters.
Result<std::vector<std::string>> cluster_names(Session& control_plane);
// Those that are asked for, each once; none: all. Errors: NotFound, naming those that are not there.
Result<std::vector<std::string>> pick_clusters(Session& control_plane, const std::vector<std::string>& asked);

std::unique_ptr<Session> session_through_proxy(const Session& control_plane, const std::string& cluster,
                                               Duration timeout = std::chrono::seconds(30));

// The control plane, or where `cluster` is not empty that member. Errors: NotFound.
Result<std::unique_ptr<Session>> open_place(const GlobalFlags& flags, const std::string& cluster);

}  // namespace flotilla::ctl
