// SPDX-License-Identifier: Apache-2.0
// From what people type to a resource of the API: "deploy", "rb", "deployments.apps", "Deployment".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/ctl/session.hpp"

namespace flotilla::ctl {

struct Resource {
  std::string group, version, resource, singular, kind;
  std::vector<std::string> short_names;
  bool namespaced = false;

  // "deployment.apps", "configmap": how kubectl names what it did.
  std::string qualified() const { return group.empty() ? singular : singular + "." + group; }
  // Path of the collection, or of one object.
  std::string path(std::string_view ns, std::string_view name = {}) const;
};

class Resources {
 public:
  // Reads the server's discovery. Groups that cannot be read are left out.
  static Result<Resources> discover(Session& session);

  // Errors: NotFound with what was perhaps meant.
  Result<Resource> find(std::string_view typed) const;
  Result<Resource> find_kind(std::string_view api_version, std::string_view kind) const;

 private:
  std::vector<Resource> all_;  // in the order of preference
};

}  // namespace flotilla::ctl
