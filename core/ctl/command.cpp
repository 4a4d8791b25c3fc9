// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/command.hpp"

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

}  // namespace flotilla::ctl
