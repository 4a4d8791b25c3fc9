// SPDX-License-Identifier: Apache-2.0
// flotillactl plugin list and version: what the daemon runs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/base/version.hpp"
#include "core/config/yaml.hpp"
#include "core/ctl/command.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

// The daemon writes it at its start, one member per plugin.
constexpr const char* kPlugins = "/api/v1/namespaces/flotilla-system/configmaps/plugins";

int list_plugins(const GlobalFlags& flags, const std::string& output) {
  Result<std::unique_ptr<Session>> session = open_session(flags);
  if (!session) return print_error(session.error());
  const Result<Json> map = (*session)->get(kPlugins);
  if (!map) return print_error(map.error());
  Json plugins = Json::array();
  for (const auto& [key, text] : (*map)["data"].members()) {
    Result<Json> plugin = Json::parse(text.as_string());
    if (plugin) plugins.push_back(std::move(*plugin));
  }
  if (output == "json" || output == "yaml") {
    fmt::print("{}", output == "json" ? plugins.dump_pretty() + "\n" : config::to_yaml(plugins));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& plugin : std::as_const(plugins).elements()) {
    std::string components;
    for (const Json& component : plugin["components"].elements()) {
      if (!components.empty()) components += ",";
      components += component["kind"].as_string();
      components += ":";
      components += component["name"].as_string();
    }
    const std::string_view id = plugin["id"].as_string();
    rows.push_back({std::string(id.empty() ? plugin["origin"].as_string() : id),
                    std::string(plugin["version"].as_string()), std::string(plugin["state"].as_string()),
                    components, std::string(plugin["reason"].as_string())});
    if (output == "wide") rows.back().emplace_back(plugin["origin"].as_string());
  }
  std::vector<std::string> header{"ID", "VERSION", "STATE", "COMPONENTS", "REASON"};
  if (output == "wide") header.emplace_back("FILE");
  print_table(header, rows);
  return 0;
}

int show_version(const GlobalFlags& flags, bool client_only) {
  fmt::print("Client Version: {}\n", kVersion);
  if (client_only) return 0;
  Result<std::unique_ptr<Session>> session = open_session(flags);
  if (!session) return 0;  // without a server the client's version is the answer
  const Result<Json> version = (*session)->get("/version");
  if (!version) return print_error(version.error());
  fmt::print("Server Version: {}\n", (*version)["gitVersion"].as_string());
  return 0;
}

}  // namespace

void add_plugin(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("plugin", "Plugins of the daemon");
  group->require_subcommand(1);
  auto output = std::make_shared<std::string>();
  CLI::App* list = group->add_subcommand("list", "What was found, what is in use, and why not");
  list->add_option("-o,--output", *output, "wide, json or yaml")
      ->check(CLI::IsMember({"wide", "json", "yaml"}));
  list->callback([&invocation, output] {
    invocation.run = [&invocation, output] { return list_plugins(invocation.flags, *output); };
  });
}

void add_version(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("version", "Versions of client and server");
  auto client = std::make_shared<bool>(false);
  command->add_flag("--client", *client, "Of the client alone");
  command->callback([&invocation, client] {
    invocation.run = [&invocation, client] { return show_version(invocation.flags, *client); };
  });
}

}  // namespace flotilla::ctl
