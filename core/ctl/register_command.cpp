// SPDX-License-Identifier: Apache-2.0
// flotillactl register and unregister.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "core/base/version.hpp"
#include "core/ctl/command.hpp"
#include "core/ctl/process.hpp"
#include "core/ctl/register.hpp"

namespace flotilla::ctl {
namespace {

struct RegisterFlags {
  RegisterRequest request;
  std::string token, timeout = "5m";
  bool start = false;
};

bool is_cluster_name(std::string_view name) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 48 && is_plain(name.front()) && is_plain(name.back()) &&
         std::ranges::all_of(name, [&](char c) { return is_plain(c) || c == '-'; });
}

// The daemon beside this program, or as the path finds it.
std::string daemon_program() {
  return sibling_program("flotillad").ok() ? *sibling_program("flotillad") : "flotillad";
}

int run_here(const RegisterFlags& flags) {
  const std::string directory = std::filesystem::absolute(flags.request.directory);
  const std::vector<std::string> command = {daemon_program(), "--config", directory + "/" + kAgentSettings};
  if (!flags.start) {
    fmt::print("{}\n", fmt::join(command, " "));
    return 0;
  }
  const Result<StartedDaemon> started =
      start_daemon(command, directory + "/" + kAgentLog, std::chrono::seconds(30));
  if (!started) return print_error(started.error());
  if (Status noted = write_file(directory + "/" + kAgentPid, std::to_string(started->pid) + "\n"); !noted)
    return print_error(noted.error());
  return 0;
}

Status complete(RegisterFlags& flags, const GlobalFlags& global) {
  RegisterRequest& request = flags.request;
  auto token = BootstrapToken::parse(flags.token);
  if (!token) return std::move(token).error();
  request.discovery.token = *std::move(token);
  if (!request.discovery.unsafe_skip_ca && request.discovery.pins.empty()) {
    return Error(Code::Invalid,
                 "which CA is to be trusted is not said\n  try: --discovery-token-ca-cert-hash sha256:..., "
                 "as flotillactl "
                 "token create --print-register-command prints it");
  }
  const auto timeout = parse_duration(flags.timeout);
  if (!timeout)
    return Error(Code::Invalid, "--discovery-timeout " + flags.timeout + " is no time span like 5m");
  request.discovery.timeout = *timeout;
  if (!global.ns.empty()) request.agent.ns = global.ns;
  Result<Kubeconfig> kubeconfig = Kubeconfig::find(global.kubeconfig);
  if (!kubeconfig) return Error(kubeconfig.error()).context("member");
  const std::string context = global.context.empty() ? kubeconfig->current_context() : global.context;
  if (request.agent.cluster.empty()) request.agent.cluster = kubeconfig->cluster_of(context);
  request.member_kubeconfig =
      global.kubeconfig.empty() ? "" : std::filesystem::absolute(global.kubeconfig).string();
  request.member_context = context;
  if (request.agent.cluster.empty()) return Error(Code::Invalid, "the cluster has no name: --cluster-name");
  if (!is_cluster_name(request.agent.cluster)) {
    return Error(Code::Invalid,
                 fmt::format("invalid cluster name({}): at most 48 small letters, digits and -, with a "
                             "letter or digit at both ends",
                             request.agent.cluster));
  }
  if (!request.directory.empty() && request.member_kubeconfig.empty())
    return Error(Code::Invalid, "an agent that runs here needs the member's kubeconfig: --kubeconfig FILE");
  return {};
}

int run_register(const GlobalFlags& global, RegisterFlags& flags) {
  if (Status complete_ = complete(flags, global); !complete_) return print_error(complete_.error());
  RegisterRequest& request = flags.request;
  Result<std::unique_ptr<Session>> member = open_session(global);
  if (!member) return print_error(member.error());
  if (request.agent.api_endpoint.empty()) request.agent.api_endpoint = (*member)->access().server;
  const auto faults = preflight(**member, request);
  if (!faults) return print_error(faults.error());
  for (const std::string& fault : *faults) fmt::print(stderr, "error: [preflight] {}\n", fault);
  if (!faults->empty()) return exit_code::kFailed;
  if (request.dry_run) return 0;
  Stage stage("cluster " + request.agent.cluster, global.quiet);
  const Status done = register_cluster(**member, request, [&](std::string_view what) { stage.note(what); });
  if (!done) {
    stage.failed();
    return print_error(done.error());
  }
  stage.done("registered");
  fmt::print("cluster({}) is joined successfully\n", request.agent.cluster);
  if (!request.directory.empty() && !flags.start && !global.quiet) print_hint("To start its agent:");
  return request.directory.empty() ? 0 : run_here(flags);
}

void declare_register(CLI::App& command, RegisterFlags& flags) {
  RegisterRequest& request = flags.request;
  AgentOptions& agent = request.agent;
  Discovery& discovery = request.discovery;
  agent.image = std::string("flotilla/flotillad:") + kVersion;
  command.add_option("ENDPOINT", discovery.endpoint, "HOST:PORT of the control plane")->required();
  command.add_option("--token", flags.token, "Of flotillactl token create")->required();
  command
      .add_option("--discovery-token-ca-cert-hash", discovery.pins, "sha256:... of the control plane's CA")
      ->delimiter(',');
  command.add_flag("--discovery-token-unsafe-skip-ca-verification", discovery.unsafe_skip_ca,
                   "Trust whoever knows the token");
  command.add_option("--discovery-timeout", flags.timeout, "5m");
  command.add_option("--cluster-name", agent.cluster, "The member's name; else as its kubeconfig calls it");
  command.add_option("--cluster-namespace", agent.cluster_ns, "Namespace of accounts and credentials");
  command.add_option("--cluster-api-endpoint", agent.api_endpoint, "For spec.apiEndpoint");
  command.add_option("--cluster-provider", agent.provider, "For spec.provider");
  command.add_option("--cluster-region", agent.region, "For spec.region");
  command.add_option("--cluster-zones", agent.zones, "For spec.zones")->delimiter(',');
  command.add_option("--proxy-server-address", agent.proxy_server_address, "For spec.proxyURL");
  command.add_option("--report-secrets", agent.report_secrets, "KubeCredentials, KubeImpersonator, None")
      ->delimiter(',');
  command.add_flag("--enable-cert-rotation", agent.certificate_rotation, "The agent renews its certificate");
  command.add_option("--cert-expiration-seconds", request.certificate_seconds, "Of the agent's certificate");
  command.add_option("--feature-gates", agent.feature_gates, "Of the agent: Gate=true")->delimiter(',');
  command.add_option("--karmada-agent-image", agent.image, "Image of the agent; Karmada's works as well");
  command.add_option("--karmada-agent-replicas", agent.replicas, "How many of it");
  command.add_option("--agent-dir", request.directory,
                     "The agent runs here, from files in this folder, instead of in the member");
  command.add_flag("--start", flags.start, "With --agent-dir: start it, instead of printing the command");
  command.add_flag("--dry-run", request.dry_run, "Check only");
}

struct UnregisterFlags {
  UnregisterRequest request;
  std::string cluster_kubeconfig, cluster_context, karmada_config;
};

Result<std::unique_ptr<Session>> open_file(const std::string& file, const std::string& context) {
  GlobalFlags flags;
  flags.kubeconfig = file;
  flags.context = context;
  return open_session(flags);
}

int run_unregister(const GlobalFlags& global, UnregisterFlags& flags) {
  UnregisterRequest& request = flags.request;
  if (!global.ns.empty()) request.ns = global.ns;
  Result<std::unique_ptr<Session>> member = open_file(flags.cluster_kubeconfig, flags.cluster_context);
  if (!member) return print_error(member.error());
  const std::string& config = flags.karmada_config.empty() ? global.kubeconfig : flags.karmada_config;
  request.as_administrator = !config.empty();
  Result<std::unique_ptr<Session>> control_plane = Error(Code::Internal, "");
  if (request.as_administrator) {
    control_plane = open_file(config, global.context);
  } else {
    Result<Access> access = access_of_agent(**member, request);
    if (!access) return print_error(access.error());
    control_plane = std::make_unique<Session>(*std::move(access));
  }
  if (!control_plane) return print_error(control_plane.error());
  Stage stage("cluster " + request.cluster, global.quiet);
  const Status gone = unregister_cluster(**control_plane, **member, request,
                                         [&](std::string_view what) { stage.note(what); });
  if (!gone) {
    stage.failed();
    return print_error(gone.error());
  }
  stage.done("unregistered");
  return 0;
}

void declare_unregister(CLI::App& command, UnregisterFlags& flags) {
  UnregisterRequest& request = flags.request;
  command.add_option("NAME", request.cluster, "The member's name")->required();
  command.add_option("--cluster-kubeconfig", flags.cluster_kubeconfig, "kubeconfig of the member")
      ->required();
  command.add_option("--cluster-context", flags.cluster_context, "Its context");
  command.add_option("--karmada-config", flags.karmada_config,
                     "kubeconfig of the control plane; else the one that the agent uses");
  command.add_option("--cluster-namespace", request.cluster_ns, "Namespace of accounts and credentials");
  command.add_option("--agent-name", request.agent_name, "Deployment of the agent");
  command.add_option("--agent-dir", request.directory, "Folder of an agent that runs here");
  add_wait(command, request.wait);
  command.add_flag("--force", request.force,
                   "Let go of what is not removed in time; it may stay in the member");
  command.add_flag("--dry-run", request.dry_run, "Check only");
}

}  // namespace

void add_register(CLI::App& app, Invocation& invocation) {
  auto flags = std::make_shared<RegisterFlags>();
  CLI::App* registering =
      app.add_subcommand("register", "Make a cluster that cannot be reached a member: its agent comes to us");
  declare_register(*registering, *flags);
  registering->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_register(invocation.flags, *flags); };
  });
  auto leaving = std::make_shared<UnregisterFlags>();
  CLI::App* unregistering =
      app.add_subcommand("unregister", "Remove a member in pull mode, its workloads and its agent");
  declare_unregister(*unregistering, *leaving);
  unregistering->callback([&invocation, leaving] {
    invocation.run = [&invocation, leaving] { return run_unregister(invocation.flags, *leaving); };
  });
}

}  // namespace flotilla::ctl
