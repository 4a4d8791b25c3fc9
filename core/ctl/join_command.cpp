// SPDX-License-Identifier: Apache-2.0
// flotillactl join and unjoin.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/ctl/command.hpp"
#include "core/ctl/join.hpp"

namespace flotilla::ctl {
namespace {

struct MemberFlags {
  std::string kubeconfig, context;
};

Result<std::unique_ptr<Session>> open_member(const MemberFlags& flags) {
  GlobalFlags as_global;
  as_global.kubeconfig = flags.kubeconfig;
  as_global.context = flags.context;
  return open_session(as_global);
}

int run_join(const GlobalFlags& flags, const MemberFlags& member_flags, const JoinRequest& request) {
  Result<std::unique_ptr<Session>> control_plane = open_session(flags);
  if (!control_plane) return print_error(control_plane.error());
  Result<std::unique_ptr<Session>> member = open_member(member_flags);
  if (!member) return print_error(member.error());
  Stage stage("cluster " + request.name, flags.quiet);
  const Status joined =
      join(**control_plane, **member, request, [&](std::string_view what) { stage.note(what); });
  if (!joined) {
    stage.failed();
    return print_error(joined.error());
  }
  stage.done("joined");
  fmt::print("cluster({}) is joined successfully\n", request.name);
  if (!flags.quiet) print_hint(fmt::format("Next:\n    flotillactl get clusters", request.name));
  return 0;
}

int run_unjoin(const GlobalFlags& flags, const MemberFlags& member_flags, const UnjoinRequest& request) {
  Result<std::unique_ptr<Session>> control_plane = open_session(flags);
  if (!control_plane) return print_error(control_plane.error());
  std::unique_ptr<Session> member;
  if (!member_flags.kubeconfig.empty()) {
    Result<std::unique_ptr<Session>> opened = open_member(member_flags);
    if (!opened) return print_error(opened.error());
    member = std::move(*opened);
  }
  Stage stage("cluster " + request.name, flags.quiet);
  const Status gone =
      unjoin(**control_plane, member.get(), request, [&](std::string_view what) { stage.note(what); });
  if (!gone) {
    stage.failed();
    return print_error(gone.error());
  }
  stage.done("unjoined");
  return 0;
}

void add_member_flags(CLI::App* command, MemberFlags& flags, bool required) {
  CLI::Option* file =
      command->add_option("--cluster-kubeconfig", flags.kubeconfig, "kubeconfig of the member cluster");
  if (required) file->required();
  command->add_option("--cluster-context", flags.context, "Its context; the current one where none is named");
}

}  // namespace

void add_join(CLI::App& app, Invocation& invocation) {
  auto request = std::make_shared<JoinRequest>();
  auto member = std::make_shared<MemberFlags>();
  CLI::App* joining = app.add_subcommand("join", "Make a Kubernetes cluster a member of the fleet");
  joining->add_option("NAME", request->name, "The member's name")->required();
  add_member_flags(joining, *member, true);
  joining->add_option("--cluster-namespace", request->ns, "Namespace for accounts and credentials");
  joining->add_option("--cluster-provider", request->provider, "For spec.provider");
  joining->add_option("--cluster-region", request->region, "For spec.region");
  joining->add_option("--cluster-zones", request->zones, "For spec.zones")->delimiter(',');
  joining->add_flag("--renew", request->renew, "Renew endpoint and credentials of a member that has joined");
  joining->callback([&invocation, request, member] {
    invocation.run = [&invocation, request, member] { return run_join(invocation.flags, *member, *request); };
  });

  auto leaving = std::make_shared<UnjoinRequest>();
  CLI::App* unjoining =
      app.add_subcommand("unjoin", "Remove a member from the fleet, and its workloads from it");
  unjoining->add_option("NAME", leaving->name, "The member's name")->required();
  add_member_flags(unjoining, *member, false);
  unjoining->add_option("--cluster-namespace", leaving->ns, "Namespace of accounts and credentials");
  auto wait = std::make_shared<Duration>(std::chrono::minutes(1));
  add_wait(*unjoining, *wait);
  unjoining->add_flag("--force", leaving->force,
                      "Let go of what is not removed in time; it may stay in the member");
  unjoining->callback([&invocation, leaving, member, wait] {
    leaving->wait = std::chrono::duration_cast<std::chrono::seconds>(*wait);
    invocation.run = [&invocation, leaving, member] {
      return run_unjoin(invocation.flags, *member, *leaving);
    };
  });
}

}  // namespace flotilla::ctl
