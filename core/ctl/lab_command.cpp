// SPDX-License-Identifier: Apache-2.0
// flotillactl lab up, status, down.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/ctl/command.hpp"
#include "core/ctl/lab.hpp"

namespace flotilla::ctl {
namespace {

struct LabFlags {
  std::string directory = "lab";
  int members = 3;
  bool keep = false;
};

int up(const GlobalFlags& global, const LabFlags& flags) {
  Lab lab(flags.directory);
  const Status status = lab.up(flags.members, global.quiet);
  if (!status) return print_error(status.error(), "flotillactl lab status --dir " + flags.directory);
  fmt::print("{}\n", lab.kubeconfig_path());
  if (!global.quiet) {
    fmt::print(
        stderr,
        "Next:\n    export KUBECONFIG={}\n    kubectl get clusters\n    kubectl --context member1 get nodes\n"
        "    flotillactl lab down --dir {}\n",
        lab.kubeconfig_path(), flags.directory);
  }
  return 0;
}

int status(const GlobalFlags&, const LabFlags& flags) {
  const Lab lab(flags.directory);
  if (!lab.exists()) {
    return print_error(Error(Code::NotFound, "there is no lab in " + lab.directory()),
                       "flotillactl lab up --dir " + flags.directory);
  }
  std::vector<std::vector<std::string>> rows;
  bool all = true;
  for (const LabNode& node : lab.nodes()) {
    all = all && node.pid.has_value();
    rows.push_back({node.name, node.pid ? "Running" : "Stopped",
                    node.pid ? std::to_string(*node.pid) : "<none>",
                    node.pid ? fmt::format("{}Mi", node.resident_bytes >> 20) : "<none>", node.server});
  }
  print_table({"NAME", "STATUS", "PID", "MEMORY", "SERVER"}, rows);
  return all ? exit_code::kOk : exit_code::kFailed;
}

int down(const GlobalFlags& global, const LabFlags& flags) {
  Lab lab(flags.directory);
  if (!lab.exists()) {
    fmt::print(stderr, "there is no lab in {}\n", lab.directory());
    return 0;
  }
  const Status stopped = lab.down(flags.keep, global.quiet);
  return stopped ? exit_code::kOk : print_error(stopped.error());
}

}  // namespace

void add_lab(CLI::App& app, Invocation& invocation) {
  auto flags = std::make_shared<LabFlags>();
  CLI::App* group = app.add_subcommand("lab", "A fleet of simulated clusters on this machine");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, int (*run)(const GlobalFlags&, const LabFlags&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->add_option("--dir", flags->directory, "Folder of the lab")->capture_default_str();
    command->callback([&invocation, flags, run] {
      invocation.run = [&invocation, flags, run] { return run(invocation.flags, *flags); };
    });
    return command;
  };
  add("up", "Start what is not running, join what has not joined", up)
      ->add_option("--members", flags->members, "How many simulated clusters")
      ->check(CLI::Range(0, 500))
      ->capture_default_str();
  add("status", "What is running", status);
  add("down", "Stop everything and remove the folder", down)
      ->add_flag("--keep", flags->keep, "Keep the data; lab up continues from it");
}

}  // namespace flotilla::ctl
