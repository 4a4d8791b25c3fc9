// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/options.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "core/base/version.hpp"

namespace flotilla::daemon {
namespace {

constexpr int kUsage = 64;

struct Flags {
  std::string data_dir, listen, storage, profile, config;
  std::vector<std::string> assignments;
  bool check_config = false;
};

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--data-dir", flags.data_dir, "Folder for database, certificates and admin.kubeconfig")
      ->type_name("DIR");
  app.add_option("--listen", flags.listen, "Address of the HTTPS API, 127.0.0.1:6443; port 0 picks one")
      ->type_name("ADDR:PORT");
  app.add_option("--storage", flags.storage, "Storage plugin: sqlite, memory, ...")->type_name("NAME");
  app.add_option("--profile", flags.profile, "control-plane, or member: a simulated Kubernetes cluster")
      ->type_name("NAME");
  app.add_option("--config", flags.config, "Configuration file (config/flotilla.yaml has every key)")
      ->type_name("FILE");
  app.add_option("--set", flags.assignments, "One configuration key over the file; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--check-config", flags.check_config, "Check the configuration and exit");
  app.set_version_flag("--version", std::string("flotillad ") + kVersion);
}

Status apply(const Flags& flags, config::Settings& settings) {
  if (!flags.config.empty()) {
    if (Status status = config::read_settings(flags.config, settings); !status) return status;
  }
  for (const std::string& assignment : flags.assignments) {
    if (Status status = config::set_setting(assignment, settings); !status) return status;
  }
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
  if (options.settings.data_dir.empty() && !options.check_config) {
    std::fprintf(stderr, "error: no data directory\n  try: flotillad --data-dir DIR\n");
    return {std::nullopt, kUsage};
  }
  return {std::move(options), 0};
}

}  // namespace flotilla::daemon
