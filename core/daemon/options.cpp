// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/options.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <map>

#include "core/base/version.hpp"

namespace flotilla::daemon {
namespace {

constexpr int kUsage = 64;

struct Flags {
  std::string data_dir, listen, storage, profile, config;
  std::vector<std::string> assignments;
  bool check_config = false;
  std::map<std::string, std::string> of_agent;  // setting -> text
};

// Karmada's flags of its agent, and the settings that they are.
constexpr std::pair<const char*, const char*> kAgentFlags[] = {
    {"--cluster-name", "agent.cluster_name"},
    {"--cluster-namespace", "agent.cluster_namespace"},
    {"--karmada-kubeconfig", "agent.karmada_kubeconfig"},
    {"--karmada-context", "agent.karmada_context"},
    {"--kubeconfig", "agent.kubeconfig"},
    {"--context", "agent.context"},
    {"--cluster-api-endpoint", "agent.cluster_api_endpoint"},
    {"--proxy-server-address", "agent.proxy_server_address"},
    {"--cluster-provider", "agent.cluster_provider"},
    {"--cluster-region", "agent.cluster_region"},
    {"--cluster-zones", "agent.cluster_zones"},
    {"--report-secrets", "agent.report_secrets"},
    {"--controllers", "controllers.controllers"},
    {"--health-probe-bind-address", "agent.listen"},
    {"--cluster-lease-duration", "agent.cluster_lease_duration"},
    {"--cluster-lease-renew-interval-fraction", "agent.cluster_lease_renew_interval_fraction"},
    {"--cluster-status-update-frequency", "controllers.cluster_status_update_frequency"},
    {"--cluster-success-threshold", "controllers.cluster_success_threshold"},
    {"--cluster-failure-threshold", "controllers.cluster_failure_threshold"},
    {"--karmada-kubeconfig-namespace", "agent.karmada_kubeconfig_namespace"},
    {"--cert-rotation-checking-interval", "agent.cert_rotation_checking_interval"},
    {"--cert-rotation-remaining-time-threshold", "agent.cert_rotation_remaining_time_threshold"},
};
constexpr const char* kAgentGroup = "Profile agent (Karmada's flags)";

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--data-dir", flags.data_dir, "Folder for database, certificates and admin.kubeconfig")
      ->type_name("DIR");
  app.add_option("--listen", flags.listen, "Address of the HTTPS API, 127.0.0.1:6443; port 0 picks one")
      ->type_name("ADDR:PORT");
  app.add_option("--storage", flags.storage, "Storage plugin: sqlite, memory, ...")->type_name("NAME");
  app.add_option("--profile", flags.profile,
                 "control-plane, member (a simulated Kubernetes cluster) or agent")
      ->type_name("NAME");
  app.add_option("--config", flags.config, "Configuration file (config/flotilla.yaml has every key)")
      ->type_name("FILE");
  app.add_option("--set", flags.assignments, "One configuration key over the file; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--check-config", flags.check_config, "Check the configuration and exit");
  for (const auto& [flag, setting] : kAgentFlags) {
    app.add_option(flag, flags.of_agent[setting], std::string(setting))
        ->type_name("TEXT")
        ->group(kAgentGroup);
  }
  app.add_option("--feature-gates", flags.of_agent["feature_gates"], "Gate=true,Gate=false")
      ->type_name("TEXT")
      ->group(kAgentGroup);
  app.set_version_flag("--version", std::string("flotillad ") + kVersion);
}

bool is_list(std::string_view setting) {
  return setting == "agent.cluster_zones" || setting == "agent.report_secrets" ||
         setting == "controllers.controllers";
}

// "a,b" of a flag is the list ["a","b"] of the setting.
std::string list_of(std::string_view text) {
  api::Json list = api::Json::array();
  while (!text.empty()) {
    const auto comma = text.find(',');
    list.push_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return list.dump();
}

Status apply_agent_flags(const Flags& flags, config::Settings& settings) {
  for (const auto& [setting, text] : flags.of_agent) {
    if (text.empty()) continue;
    if (setting == "feature_gates") {
      for (std::string_view rest = text; !rest.empty();) {
        const auto comma = rest.find(',');
        const std::string gate = "feature_gates." + std::string(rest.substr(0, comma));
        if (Status status = config::set_setting(gate, settings); !status) return status;
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      }
      continue;
    }
    const std::string value = is_list(setting) ? list_of(text) : text;
    const std::string assignment = fmt::format("{}={}", setting, value);
    if (Status status = config::set_setting(assignment, settings); !status) return status;
  }
  return {};
}

Status apply(const Flags& flags, config::Settings& settings) {
  if (!flags.config.empty()) {
    if (Status status = config::read_settings(flags.config, settings); !status) return status;
  }
  for (const std::string& assignment : flags.assignments) {
    if (Status status = config::set_setting(assignment, settings); !status) return status;
  }
  if (Status status = apply_agent_flags(flags, settings); !status) return status;
  const std::pair<const char*, const std::string&> own[] = {{"data_dir", flags.data_dir},
                                                            {"listen", flags.listen},
                                                            {"storage.name", flags.storage},
                                                            {"profile", flags.profile}};
  for (const auto& [key, value] : own) {
    if (value.empty()) continue;
    if (Status status = config::set_setting(std::string(key) + "=" + value, settings); !status) return status;
  }
  return {};
}

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
  CLI::App app("flotillad: the control plane of a fleet of Kubernetes clusters", "flotillad");
  Flags flags;
  declare(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    app.exit(done);
    return {std::nullopt, 0};
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "error: %s\n  try: flotillad --help\n", error.what());
    return {std::nullopt, kUsage};
  }
  Options options;
  options.check_config = flags.check_config;
  if (Status status = apply(flags, options.settings); !status) {
    std::fprintf(stderr, "error: %s\n", status.error().message().c_str());
    return {std::nullopt, 1};
  }
  if (options.settings.data_dir.empty() && !options.check_config && !options.settings.is_agent()) {
    std::fprintf(stderr, "error: no data directory\n  try: flotillad --data-dir DIR\n");
    return {std::nullopt, kUsage};
  }
  return {std::move(options), 0};
}

}  // namespace flotilla::daemon
