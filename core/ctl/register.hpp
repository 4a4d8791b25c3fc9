// SPDX-License-Identifier: Apache-2.0
// Registering a cluster in pull mode and taking it out again, as karmadactl register and unregister do.
#pragma once

#include <functional>
#include <string>

#include "core/ctl/agent_manifests.hpp"
#include "core/ctl/bootstrap.hpp"

namespace flotilla::ctl {

using Progress = std::function<void(std::string_view)>;

struct RegisterRequest {
  Discovery discovery;
  AgentOptions agent;
  std::int64_t certificate_seconds = 365LL * 24 * 3600;
  // The agent runs here, from files in this folder, instead of in the member. Empty: in the member.
  std::string directory;
  std::string member_kubeconfig, member_context;  // for an agent that runs here
  bool dry_run = false;
};

// What stands in the way. Empty: nothing. Errors: the member cannot be asked.
Result<std::vector<std::string>> preflight(Session& member, const RegisterRequest& request);

// 1. The control plane is found and trusted. 2. With a certificate for that alone: is the name free, and the
// rights of this agent are made. 3. The agent's own certificate. 4. Its Deployment in the member, or its
// files. Rights that were made are taken back when what follows fails. Errors: AlreadyExists (the name), what
// the servers say.
Status register_cluster(Session& member, const RegisterRequest& request, const Progress& progress);

// Files of an agent that runs here.
inline constexpr const char *kAgentConf = "karmada-agent.conf", *kAgentSettings = "flotilla.yaml",
                            *kAgentPid = "agent.pid", *kAgentLog = "agent.log", *kAgentCa = "pki/ca.crt";

// What an agent does when it starts: the member's credentials are brought, the Cluster is made or brought up
// to date. Errors: AlreadyExists with the reason kClash (this cluster has another name, the name is another
// cluster's, or it has joined in push mode), for good; else what the servers say.
inline constexpr const char* kClash = "ClusterClash";
Status announce(Session& control_plane, Session& member, const AgentOptions& agent);

struct UnregisterRequest {
  std::string cluster;
  std::string ns = "karmada-system", cluster_ns = "karmada-cluster", agent_name = std::string(kAgentName);
  std::string directory;  // of an agent that runs here
  Duration wait = std::chrono::minutes(1);
  bool force = false, dry_run = false;
  bool as_administrator = false;  // the session may remove the agent's rights
};

// How the agent in this member reaches its control plane. Errors: NotFound, naming what is missing.
Result<Access> access_of_agent(Session& member, const UnregisterRequest& request);
// Works first, while the agent still runs; then the Cluster, the agent's rights, and what is in the member.
Status unregister_cluster(Session& control_plane, Session& member, const UnregisterRequest& request,
                          const Progress& progress);

}  // namespace flotilla::ctl
