// SPDX-License-Identifier: Apache-2.0
// What runs the agent of a pull cluster inside it, as karmadactl register deploys it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::ctl {

inline constexpr std::string_view kAgentName = "karmada-agent", kAgentAccount = "karmada-agent-sa",
                                  kAgentSecret = "karmada-kubeconfig";

struct AgentOptions {
  std::string cluster;
  std::string ns = "karmada-system";           // of the agent
  std::string cluster_ns = "karmada-cluster";  // of credentials, in both clusters
  std::string api_endpoint;                    // of the member, for the Cluster
  std::string proxy_server_address, provider, region;
  std::vector<std::string> zones;
  std::vector<std::string> report_secrets;  // empty: both
  std::vector<std::string> feature_gates;   // "Failover=true"
  bool certificate_rotation = false;
  std::string image;
  int replicas = 1;
};

// Flags of the agent, as flotillad --profile agent and karmada-agent know them alike.
std::vector<std::string> agent_flags(const AgentOptions& options);

struct PlacedObject {
  std::string collection;  // "/api/v1/namespaces/karmada-system/secrets"
  api::Json object;
};
// Secret with the kubeconfig, account and rights; in the order in which they are made.
std::vector<PlacedObject> agent_manifests(const AgentOptions& options, std::string_view kubeconfig);
PlacedObject agent_deployment(const AgentOptions& options);
// Paths of all that stands in the member for this agent, in the order in which it goes.
std::vector<std::string> agent_leftovers(const AgentOptions& options);

// Of a Deployment: the Secret, key and context that its --karmada-kubeconfig comes from. Empty: not found.
struct KubeconfigPlace {
  std::string secret, key, context;
};
KubeconfigPlace kubeconfig_place(const api::Json& deployment);
bool is_rolled_out(const api::Json& deployment);

}  // namespace flotilla::ctl
