// SPDX-License-Identifier: Apache-2.0
// flotillactl promote TYPE NAME -C CLUSTER.
#include <CLI/CLI.hpp>

#include "core/ctl/members.hpp"
#include "core/ctl/promote.hpp"

namespace flotilla::ctl {
namespace {

int run_promote(const GlobalFlags& flags, PromoteRequest request) {
  Result<std::unique_ptr<Session>> control_plane = open_session(flags);
  if (!control_plane) return print_error(control_plane.error());
  const auto picked = pick_clusters(**control_plane, {request.cluster});
  if (!picked) return print_error(picked.error());
  const std::unique_ptr<Session> member = session_through_proxy(**control_plane, request.cluster);
  request.ns = namespace_of(flags, **control_plane);
  const Status done = Promotion(**control_plane, *member, request).run();
  return done ? exit_code::kOk : print_error(done.error());
}

}  // namespace

void add_promote(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("promote", "Make a member's object a template that is propagated");
  auto request = std::make_shared<PromoteRequest>();
  command->add_option("TYPE", request->type, "Type of the object")->required();
  command->add_option("NAME", request->name, "Its name")->required();
  command->add_option("-C,--cluster", request->cluster, "The member that has it")->required();
  command->add_flag("--auto-create-policy,!--no-auto-create-policy", request->with_policy,
                    "Make a policy for it, too (the default)");
  command->add_option("--policy-name", request->policy_name, "Name of that policy; else one is made");
  command->add_flag("-d,--dependencies", request->with_dependencies,
                    "Promote what it depends on as well, and let it be propagated along");
  command->add_option("-o,--output", request->output, "json or yaml: print what would be made, and no more")
      ->check(CLI::IsMember({"json", "yaml"}));
  command->callback([&invocation, request] {
    invocation.run = [&invocation, request] { return run_promote(invocation.flags, *request); };
  });
}

}  // namespace flotilla::ctl
