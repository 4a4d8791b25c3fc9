// SPDX-License-Identifier: Apache-2.0
// What every command shares: the flags of kubectl that hold everywhere, and the way to a server. One .cpp per
// command group declares its commands in CLI11 and sets what is to run.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/ctl/session.hpp"
#include "core/ctl/terminal.hpp"

namespace CLI {
class App;
}

namespace flotilla::ctl {

struct GlobalFlags {
  std::string kubeconfig;
  std::string context;
  std::string ns;
  bool quiet = false;
};

struct Invocation {
  GlobalFlags flags;
  std::function<int()> run;  // set by the command that was named
};

// The control plane, by --kubeconfig, $KUBECONFIG or ~/.kube/config.
Result<std::unique_ptr<Session>> open_session(const GlobalFlags& flags,
                                              Duration timeout = std::chrono::seconds(30));
// -n, or the context's namespace, or "default".
std::string namespace_of(const GlobalFlags& flags, const Session& session);

// --wait 60s, or a number of seconds.
void add_wait(CLI::App& command, Duration& wait);

void add_plan(CLI::App& app, Invocation& invocation);
void add_render(CLI::App& app, Invocation& invocation);
void add_diff(CLI::App& app, Invocation& invocation);
void add_simulate(CLI::App& app, Invocation& invocation);
void add_why(CLI::App& app, Invocation& invocation);
void add_get(CLI::App& app, Invocation& invocation);
void add_apply(CLI::App& app, Invocation& invocation);
void add_delete(CLI::App& app, Invocation& invocation);
void add_join(CLI::App& app, Invocation& invocation);
void add_token(CLI::App& app, Invocation& invocation);
void add_register(CLI::App& app, Invocation& invocation);
void add_plugin(CLI::App& app, Invocation& invocation);
void add_version(CLI::App& app, Invocation& invocation);
void add_interpret(CLI::App& app, Invocation& invocation);
void add_lab(CLI::App& app, Invocation& invocation);
void add_backup(CLI::App& app, Invocation& invocation);
void add_restore(CLI::App& app, Invocation& invocation);
void add_storage(CLI::App& app, Invocation& invocation);
void add_taint(CLI::App& app, Invocation& invocation);  // and cordon, uncordon
void add_promote(CLI::App& app, Invocation& invocation);
void add_describe(CLI::App& app, Invocation& invocation);
void add_logs(CLI::App& app, Invocation& invocation);
void add_exec(CLI::App& app, Invocation& invocation);  // and attach
void add_top(CLI::App& app, Invocation& invocation);

}  // namespace flotilla::ctl
