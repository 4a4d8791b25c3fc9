// SPDX-License-Identifier: Apache-2.0
// What an agent does when it starts.
#include <fmt/format.h>

#include <algorithm>

#include "core/api/object.hpp"
#include "core/base/log.hpp"
#include "core/ctl/accounts.hpp"
#include "core/ctl/register.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

const Logger kLog("agent");

bool reports(const AgentOptions& agent, std::string_view what) {
  return agent.report_secrets.empty() ||
         std::ranges::find(agent.report_secrets, what) != agent.report_secrets.end();
}

Error clash(std::string message) {
  ErrorDetails details;
  details.reason = kClash;
  return Error(Code::AlreadyExists, std::move(message), std::move(details));
}

// The Cluster that is there already, null: none.
Result<Json> find_own(Session& control_plane, const AgentOptions& agent, const std::string& id) {
  const Result<Json> clusters = control_plane.get(kClusters);
  if (!clusters) return clusters.error();
  Json own;
  for (const Json& cluster : (*clusters)["items"].elements()) {
    const std::string_view name = api::name_of(cluster);
    const bool same_id = cluster["spec"]["id"].as_string() == id;
    if (same_id && name != agent.cluster) {
      return clash(fmt::format("the same cluster has been registered with name {}", name));
    }
    if (name != agent.cluster) continue;
    if (!same_id) {
      return clash(fmt::format("cluster({}) already exists with a different ID: choose another name", name));
    }
    if (cluster["spec"]["syncMode"].as_string() != "Pull") {
      return clash(fmt::format("cluster {} has joined in push mode: unjoin it first", name));
    }
    own = cluster;
  }
  return own;
}

void set_spec(Json& spec, const AgentOptions& agent, const std::string& id, const Access& member) {
  const auto reference = [&](const std::string& name) {
    return Json::object({{"namespace", agent.cluster_ns}, {"name", name}});
  };
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) spec.set(key, value);
  };
  spec.set("syncMode", "Pull");
  spec.set("id", id);
  spec.set("apiEndpoint", agent.api_endpoint.empty() ? member.server : agent.api_endpoint);
  set("proxyURL", agent.proxy_server_address);
  set("provider", agent.provider);
  set("region", agent.region);
  if (!agent.zones.empty()) spec.set("zones", Json::strings(agent.zones));
  if (member.insecure_skip_verify) spec.set("insecureSkipTLSVerification", true);
  if (reports(agent, "KubeCredentials")) spec.set("secretRef", reference(agent.cluster));
  if (reports(agent, "KubeImpersonator"))
    spec.set("impersonatorSecretRef", reference(agent.cluster + "-impersonator"));
}

Result<Json> put_cluster(Session& control_plane, const AgentOptions& agent, Json own, const std::string& id,
                         const Access& member) {
  const std::string target = std::string(kClusters) + "/" + http::percent_encode(agent.cluster);
  if (own.is_null()) {
    Json made = Json::object({{"apiVersion", "cluster.karmada.io/v1alpha1"},
                              {"kind", "Cluster"},
                              {"metadata", Json::object({{"name", agent.cluster}})},
                              {"spec", Json::object()}});
    set_spec(made["spec"], agent, id, member);
    return control_plane.post(kClusters, made);
  }
  Json wanted = own;
  wanted.set("apiVersion", "cluster.karmada.io/v1alpha1");
  wanted.set("kind", "Cluster");
  set_spec(wanted["spec"], agent, id, member);
  if (std::as_const(wanted)["spec"] == std::as_const(own)["spec"]) return own;
  Result<Json> updated = control_plane.put(target, wanted);
  // The rights that Karmada gives agents have no update of Clusters: an administrator has to do it.
  if (updated || !updated.error().is(Code::Forbidden)) return updated;
  kLog.warn("the Cluster differs from what this agent was told, and it may not change it",
            {{"cluster", agent.cluster}, {"error", updated.error().message()}});
  return own;
}

}  // namespace

Status announce(Session& control_plane, Session& member, const AgentOptions& agent) {
  const Result<Json> system = member.get("/api/v1/namespaces/kube-system");
  if (!system) return Error(system.error()).context("member");
  const std::string id(api::uid_of(*system));
  Result<Json> own = find_own(control_plane, agent, id);
  if (!own) return own.error();
  const WantedAccounts accounts{reports(agent, "KubeCredentials"), reports(agent, "KubeImpersonator")};
  const Result<MemberSide> side = prepare_member(member, agent.cluster, agent.cluster_ns, accounts);
  if (!side) return Error(side.error()).context("member");
  if (Status made = ensure_namespace(control_plane, agent.cluster_ns); !made) return made;
  const std::string& ca = member.access().ca_pem;
  if (Status brought = bring_credentials(control_plane, agent.cluster, agent.cluster_ns, *side, ca); !brought)
    return brought;
  const Result<Json> cluster = put_cluster(control_plane, agent, *std::move(own), id, member.access());
  if (!cluster) return cluster.error();
  return own_credentials(control_plane, agent.cluster_ns, *cluster, *side);
}

}  // namespace flotilla::ctl
