// SPDX-License-Identifier: Apache-2.0
// What a simulated member serves: the built-in resources of Kubernetes 1.32 that workloads are made of.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace flotilla::simulated {

struct Resource {
  std::string_view group;
  std::string_view version;
  std::string_view resource;
  std::string_view kind;
  bool namespaced = true;
  bool has_status = false;  // a status subresource: writes of the main resource leave it alone

  // "deployments.apps", "pods": how Kubernetes names it in messages, and our key.
  std::string name() const {
    return group.empty() ? std::string(resource) : std::string(resource) + "." + std::string(group);
  }
  std::string api_version() const {
    return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
  }
};

std::span<const Resource> built_in_resources();

}  // namespace flotilla::simulated
