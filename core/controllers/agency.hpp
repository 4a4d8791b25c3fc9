// SPDX-License-Identifier: Apache-2.0
// Whom a process speaks for. The control plane reaches the clusters in push mode itself; a cluster in pull
// mode has an agent, which runs the same controllers for that one cluster.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "core/cluster/cluster_driver.hpp"
#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

struct Agency {
  std::string cluster;
  // How the member is reached now. At once; from any thread.
  std::function<Result<cluster::ClusterEndpoint>()> endpoint;
  // Renews the agent's certificate where that is due; true: it was. May block.
  std::function<Result<bool>()> renew_certificate;
  // Since this process runs. The Lease waits for it.
  std::atomic<bool> seen_healthy = false;
};

inline bool is_pull(const Json& cluster) {
  return cluster["spec"]["syncMode"].as_string() == "Pull";
}

// Whether the member of this Cluster is this process's to talk to.
inline bool is_served_here(const Context& context, const Json& cluster) {
  if (context.agency) return api::name_of(cluster) == context.agency->cluster;
  return !is_pull(cluster);
}
// False also where there is no such Cluster.
inline bool is_served_here(const Context& context, const std::string& cluster) {
  const ObjectPtr found = context.get(kinds::kCluster, {"", cluster});
  return found && is_served_here(context, *found->content());
}

}  // namespace flotilla::controllers
