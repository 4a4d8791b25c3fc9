// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/register.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "core/api/agent_rights.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"
#include "core/config/yaml.hpp"
#include "core/ctl/accounts.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr auto kPause = std::chrono::milliseconds(200);

Access with_certificate(const Access& access, const http::KeyPair& pair) {
  Access own = access;
  own.bearer_token.clear();
  own.client_certificate_pem = pair.certificate_pem;
  own.client_key_pem = pair.key_pem;
  return own;
}

std::string rights_path(const Json& object) {
  return api::rights_collection(object) + "/" + http::percent_encode(api::name_of(object));
}

void take_back(Session& giver, const std::vector<Json>& rights) {
  for (const Json& right : rights) static_cast<void>(giver.remove(rights_path(right)));
}

// Those of an earlier registration of this name are good as well.
Status give_rights(Session& giver, const AgentOptions& agent) {
  for (const Json& right : api::agent_rights(agent.cluster, agent.cluster_ns)) {
    if (const std::string ns(api::namespace_of(right)); !ns.empty()) {
      if (Status made = ensure_namespace(giver, ns); !made) return made;
    }
    const Result<Json> made = giver.post(api::rights_collection(right), right);
    if (!made && !made.error().is(Code::AlreadyExists)) return made.error();
  }
  return {};
}

// With the certificate that may give rights, which is of no further use.
Result<std::unique_ptr<Session>> open_giver(Session& bootstrap, const RegisterRequest& request) {
  CertificateRequest certificate;
  certificate.name = "agent-rbac-generator-" + request.agent.cluster + random_word(5);
  certificate.subject = {std::string(api::kAgentRightsGiver), {std::string(api::kAgentGroup)}};
  certificate.seconds = 3600;
  certificate.timeout = request.discovery.timeout;
  const Result<http::KeyPair> pair = request_certificate(bootstrap, certificate);
  if (!pair) return pair.error();
  auto giver = std::make_unique<Session>(with_certificate(bootstrap.access(), *pair));
  static_cast<void>(
      giver->remove("/apis/certificates.k8s.io/v1/certificatesigningrequests/" + certificate.name));
  return giver;
}

Result<Access> agent_access(Session& bootstrap, const RegisterRequest& request) {
  CertificateRequest certificate;
  certificate.name = request.agent.cluster + "-" + random_word(5);
  certificate.subject = {api::agent_user(request.agent.cluster), {std::string(api::kAgentGroup)}};
  certificate.seconds = request.certificate_seconds;
  certificate.timeout = request.discovery.timeout;
  const Result<http::KeyPair> pair = request_certificate(bootstrap, certificate);
  if (!pair) return pair.error();
  return with_certificate(bootstrap.access(), *pair);
}

Status wait_for_rollout(Session& member, const PlacedObject& deployment, Duration timeout) {
  const SystemClock clock;
  const SteadyTime until = clock.steady_now() + timeout;
  const std::string target = deployment.collection + "/" + std::string(kAgentName);
  for (;;) {
    const Result<Json> there = member.get(target);
    if (there && is_rolled_out(*there)) return {};
    if (clock.steady_now() > until) {
      return Error(Code::Timeout,
                   "the agent does not become available\n  try: kubectl describe pods -l app=" +
                       std::string(kAgentName) + " where it runs");
    }
    std::this_thread::sleep_for(kPause);
  }
}

Status deploy(Session& member, const RegisterRequest& request, const Access& access) {
  Kubeconfig kubeconfig;
  kubeconfig.put(request.agent.cluster, access);
  if (Status made = ensure_namespace(member, request.agent.ns); !made) return made;
  for (const PlacedObject& each : agent_manifests(request.agent, kubeconfig.text())) {
    if (const Result<Json> made = ensure(member, each.collection, each.object); !made) return made.error();
  }
  const PlacedObject deployment = agent_deployment(request.agent);
  const Result<Json> made = member.post(deployment.collection, deployment.object);
  if (!made) return made.error();
  return wait_for_rollout(member, deployment, request.discovery.timeout);
}

Json settings_of(const RegisterRequest& request, const std::string& directory) {
  const AgentOptions& agent = request.agent;
  Json own = Json::object({{"cluster_name", agent.cluster},
                           {"cluster_namespace", agent.cluster_ns},
                           {"karmada_kubeconfig", directory + "/" + kAgentConf},
                           {"kubeconfig", request.member_kubeconfig}});
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) own.set(key, value);
  };
  add("context", request.member_context);
  add("cluster_api_endpoint", agent.api_endpoint);
  add("proxy_server_address", agent.proxy_server_address);
  add("cluster_provider", agent.provider);
  add("cluster_region", agent.region);
  if (!agent.zones.empty()) own.set("cluster_zones", Json::strings(agent.zones));
  if (!agent.report_secrets.empty()) own.set("report_secrets", Json::strings(agent.report_secrets));
  Json settings = Json::object({{"profile", "agent"}, {"agent", std::move(own)}});
  if (agent.certificate_rotation) {
    settings.set("controllers", Json::object({{"controllers", Json::array({"*", "certRotation"})}}));
  }
  Json gates = Json::object();
  for (const std::string& gate : agent.feature_gates) {
    const auto equals = gate.find('=');
    gates.set(gate.substr(0, equals), gate.substr(equals + 1) == "true");
  }
  if (!gates.empty()) settings.set("feature_gates", std::move(gates));
  return settings;
}

Status write_files(const RegisterRequest& request, const Access& access) {
  std::error_code failed;
  const std::filesystem::path directory = std::filesystem::absolute(request.directory);
  std::filesystem::create_directories(directory / "pki", failed);
  if (failed) return Error(Code::Invalid, directory.string() + ": " + failed.message());
  Kubeconfig kubeconfig;
  kubeconfig.put(request.agent.cluster, access);
  if (Status written = kubeconfig.write(directory / kAgentConf); !written) return written;
  if (Status written = write_file(directory / kAgentCa, access.ca_pem); !written) return written;
  return write_file(directory / kAgentSettings, config::to_yaml(settings_of(request, directory)), 0600);
}

}  // namespace

Result<std::vector<std::string>> preflight(Session& member, const RegisterRequest& request) {
  std::vector<std::string> faults;
  const auto look = [&](const std::string& target, std::string_view what) -> Status {
    const Result<Json> there = member.get(target);
    if (there) faults.push_back(fmt::format("{} already exists", what));
    return there || there.error().is(Code::NotFound) ? Status() : Status(there.error());
  };
  if (!request.directory.empty()) {
    const Result<Json> reached = member.get("/api/v1/namespaces/kube-system");
    if (!reached) return Error(reached.error()).context("member");
    for (const char* file : {kAgentConf, kAgentSettings}) {
      const auto path = std::filesystem::path(request.directory) / file;
      if (std::filesystem::exists(path)) faults.push_back(path.string() + " already exists");
    }
    return faults;
  }
  const std::string& ns = request.agent.ns;
  const std::pair<std::string, std::string> wanted[] = {
      {in_namespace(ns, "secrets/" + std::string(kAgentSecret)),
       fmt::format("Secret {}/{}", ns, kAgentSecret)},
      {in_namespace(ns, "serviceaccounts/" + std::string(kAgentAccount)),
       fmt::format("ServiceAccount {}/{}", ns, kAgentAccount)},
      {fmt::format("/apis/apps/v1/namespaces/{}/deployments/{}", ns, kAgentName),
       fmt::format("Deployment {}/{}", ns, kAgentName)}};
  for (const auto& [target, what] : wanted) {
    if (Status looked = look(target, what); !looked) return Error(looked.error()).context("member");
  }
  return faults;
}

Status register_cluster(Session& member, const RegisterRequest& request, const Progress& progress) {
  progress("looking for the control plane");
  Result<Access> found = discover_control_plane(request.discovery);
  if (!found) return found.error();
  Session bootstrap(*std::move(found));
  progress("asking for the right to register");
  const Result<std::unique_ptr<Session>> giver = open_giver(bootstrap, request);
  if (!giver) return giver.error();
  const std::string cluster = std::string(kClusters) + "/" + http::percent_encode(request.agent.cluster);
  const Result<Json> there = (*giver)->get(cluster);
  if (there) {
    return Error(
        Code::AlreadyExists,
        fmt::format(
            "cluster {} exists already; choose another name with --cluster-name, or take it out first",
            request.agent.cluster));
  }
  if (!there.error().is(Code::NotFound)) return there.error();
  progress("giving the agent its rights");
  Status done = give_rights(**giver, request.agent);
  if (done) {
    progress("asking for the agent's certificate");
    const Result<Access> access = agent_access(bootstrap, request);
    if (!access) {
      done = access.error();
    } else {
      progress(request.directory.empty() ? "deploying the agent" : "writing the agent's files");
      done = request.directory.empty() ? deploy(member, request, *access) : write_files(request, *access);
    }
  }
  if (!done) take_back(**giver, api::agent_rights(request.agent.cluster, request.agent.cluster_ns));
  return done;
}

}  // namespace flotilla::ctl
