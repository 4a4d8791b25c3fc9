// SPDX-License-Identifier: Apache-2.0
// What commands about one pod have in common.
#pragma once

#include <string>

#include "core/ctl/members.hpp"

namespace CLI {
class App;
}

namespace flotilla::ctl {

struct PodFlags {
  std::string pod;  // "web-0", "pod/web-0"
  std::string container;
  std::string cluster;  // empty: the control plane
};
void add_pod_flags(CLI::App* command, PodFlags& flags);

// The way to it.
struct PodPlace {
  std::unique_ptr<Session> session;
  std::string path;  // "/api/v1/namespaces/NS/pods/NAME"
};
Result<PodPlace> find_pod(const GlobalFlags& global, const PodFlags& flags);

}  // namespace flotilla::ctl
