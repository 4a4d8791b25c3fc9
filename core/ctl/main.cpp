// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "core/base/log.hpp"
#include "core/ctl/command.hpp"

namespace {

namespace ctl = flotilla::ctl;

void declare(CLI::App& app, ctl::Invocation& invocation) {
  app.require_subcommand(1);
  app.fallthrough();
  ctl::GlobalFlags& flags = invocation.flags;
  app.add_option("--kubeconfig", flags.kubeconfig, "kubeconfig file; else $KUBECONFIG, else ~/.kube/config");
  app.add_option("--context,--karmada-context", flags.context, "Context in it; else the current one");
  app.add_option("-n,--namespace", flags.ns, "Namespace");
  app.add_flag("-q,--quiet", flags.quiet, "No progress, no hints");
  ctl::add_get(app, invocation);
  ctl::add_apply(app, invocation);
  ctl::add_delete(app, invocation);
  ctl::add_plan(app, invocation);
  ctl::add_diff(app, invocation);
  ctl::add_render(app, invocation);
  ctl::add_simulate(app, invocation);
  ctl::add_why(app, invocation);
  ctl::add_join(app, invocation);
  ctl::add_token(app, invocation);
  ctl::add_register(app, invocation);
  ctl::add_promote(app, invocation);
  ctl::add_taint(app, invocation);
  ctl::add_describe(app, invocation);
  ctl::add_logs(app, invocation);
  ctl::add_exec(app, invocation);
  ctl::add_top(app, invocation);
  ctl::add_plugin(app, invocation);
  ctl::add_interpret(app, invocation);
  ctl::add_lab(app, invocation);
  ctl::add_backup(app, invocation);
  ctl::add_restore(app, invocation);
  ctl::add_storage(app, invocation);
  ctl::add_version(app, invocation);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);  // a reader that goes away is no error
  flotilla::set_log_level(flotilla::LogLevel::Error);
  CLI::App app("flotillactl: one hand on the whole fleet", "flotillactl");
  ctl::Invocation invocation;
  declare(app, invocation);
  try {
    app.parse(argc, argv);
    return invocation.run ? invocation.run() : 0;
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "error: %s\n  try: flotillactl --help\n", error.what());
    return ctl::exit_code::kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return ctl::exit_code::kFailed;
  }
}
