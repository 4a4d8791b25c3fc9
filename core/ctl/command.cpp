// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

namespace flotilla::ctl {

Result<std::unique_ptr<Session>> open_session(const GlobalFlags& flags, Duration timeout) {
  Result<Kubeconfig> config = Kubeconfig::find(flags.kubeconfig);
  const char* list = std::getenv("KUBECONFIG");
  const bool named = !flags.kubeconfig.empty() || (list != nullptr && *list != 0);
  if (!config && config.error().is(Code::NotFound) && !named) {
    return Error(Code::NotFound,
                 "no kubeconfig found\n  try: flotillactl lab up, or --kubeconfig DIR/admin.kubeconfig of a "
                 "flotillad");
  }
  if (!config) return std::move(config).error();
  Result<Access> access = config->access(flags.context);
  if (!access) return std::move(access).error();
  return std::make_unique<Session>(std::move(*access), timeout);
}

std::string namespace_of(const GlobalFlags& flags, const Session& session) {
  if (!flags.ns.empty()) return flags.ns;
  return session.access().ns.empty() ? "default" : session.access().ns;
}

void add_wait(CLI::App& command, Duration& wait) {
  const auto read = [&wait](const CLI::results_t& given) {
    const std::string& text = given.front();
    const bool number =
        !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    const auto span = parse_duration(number ? text + "s" : text);
    if (!span || *span < Duration(0)) return false;
    wait = *span;
    return true;
  };
  command.add_option("--wait", read, "How long to wait for the end: 60s, 2m")->type_name("TIME");
}

}  // namespace flotilla::ctl
