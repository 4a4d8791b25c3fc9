// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/api/agent_rights.hpp"
#include "core/api/object.hpp"
#include "core/base/base64.hpp"
#include "core/ctl/accounts.hpp"
#include "core/ctl/process.hpp"
#include "core/ctl/register.hpp"
#include "core/ctl/removal.hpp"
#include "core/ctl/terminal.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

std::string path_of_right(const Json& right) {
  return api::rights_collection(right) + "/" + http::percent_encode(api::name_of(right));
}

// Those in the execution namespace went with it.
Status take_rights(Session& control_plane, const UnregisterRequest& request) {
  std::vector<std::string> targets;
  for (const Json& right : api::agent_rights(request.cluster, request.cluster_ns))
    targets.push_back(path_of_right(right));
  if (request.as_administrator) return remove_all(control_plane, targets);
  std::string text = "the agent may not remove its own rights in the control plane; an administrator can:";
  for (const Json& right : api::agent_rights(request.cluster, request.cluster_ns)) {
    const std::string_view ns = api::namespace_of(right);
    text += fmt::format("\n    {}/{}{}", right["kind"].as_string(), ns.empty() ? "" : std::string(ns) + "/",
                        api::name_of(right));
  }
  print_warning(text);
  return {};
}

Status end_local_agent(const std::string& directory) {
  const std::filesystem::path folder(directory);
  if (const auto pid = running(folder / kAgentPid, "flotillad")) {
    ask_to_stop(*pid);
    await_end(*pid, std::chrono::seconds(10));
  }
  for (const char* file : {kAgentConf, kAgentSettings, kAgentPid, kAgentLog, kAgentCa, "pki"}) {
    std::error_code failed;
    std::filesystem::remove(folder / file, failed);
    if (failed) return Error(Code::Invalid, (folder / file).string() + ": " + failed.message());
  }
  return {};
}

}  // namespace

Result<Access> access_of_agent(Session& member, const UnregisterRequest& request) {
  if (!request.directory.empty()) {
    const auto kubeconfig = Kubeconfig::read(request.directory + "/" + kAgentConf);
    if (!kubeconfig) return kubeconfig.error();
    return kubeconfig->access();
  }
  const Result<Json> deployment =
      member.get(fmt::format("/apis/apps/v1/namespaces/{}/deployments/{}", request.ns, request.agent_name));
  if (!deployment) return Error(deployment.error()).context("the agent in the member");
  const KubeconfigPlace place = kubeconfig_place(*deployment);
  if (place.secret.empty()) {
    return Error(Code::NotFound,
                 "the agent's Deployment names no Secret with a kubeconfig\n  try: --karmada-config FILE");
  }
  const Result<Json> secret = member.get(in_namespace(request.ns, "secrets/" + place.secret));
  if (!secret) return Error(secret.error()).context("the agent's kubeconfig");
  const auto text = base64_decode((*secret)["data"][place.key].as_string());
  if (!text || text->empty()) {
    return Error(Code::NotFound, fmt::format("Secret {}/{} has no {}", request.ns, place.secret, place.key));
  }
  const auto kubeconfig = Kubeconfig::parse(*text, "Secret " + request.ns + "/" + place.secret);
  if (!kubeconfig) return kubeconfig.error();
  return kubeconfig->access(place.context);
}

Status unregister_cluster(Session& control_plane, Session& member, const UnregisterRequest& request,
                          const Progress& progress) {
  const std::string target = std::string(kClusters) + "/" + http::percent_encode(request.cluster);
  const Result<Json> cluster = control_plane.get(target);
  if (!cluster && !cluster.error().is(Code::NotFound)) return cluster.error();
  if (cluster && (*cluster)["spec"]["syncMode"].as_string() != "Pull") {
    return Error(Code::Invalid, fmt::format("cluster {} is in push mode: flotillactl unjoin {}",
                                            request.cluster, request.cluster));
  }
  if (!cluster && !request.force) return cluster.error();
  if (request.dry_run) return {};
  const SystemClock clock;
  const SteadyTime until = clock.steady_now() + request.wait;
  if (cluster) {
    progress("removing workloads");
    if (Status removed = remove_works(control_plane, request.cluster, until, request.force); !removed)
      return removed;
    progress("removing the cluster");
    if (Status removed = remove_cluster(control_plane, request.cluster, until, request.force); !removed)
      return removed;
  }
  if (Status taken = take_rights(control_plane, request); !taken) return taken;
  progress("removing the agent");
  AgentOptions agent;
  agent.cluster = request.cluster;
  agent.ns = request.ns;
  agent.cluster_ns = request.cluster_ns;
  if (Status removed = remove_all(member, agent_leftovers(agent)); !removed)
    return Error(removed.error()).context("member");
  return request.directory.empty() ? Status() : end_local_agent(request.directory);
}

}  // namespace flotilla::ctl
