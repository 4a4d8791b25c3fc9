// SPDX-License-Identifier: Apache-2.0
// The policies that commands make beside a template: one PropagationPolicy, or ClusterPropagationPolicy for
// what has no namespace, that means this object alone.
#pragma once

#include <string>
#include <vector>

#include "core/ctl/resources.hpp"

namespace flotilla::ctl {

struct PolicyDocument {
  api::Json object;
  Resource resource;
  std::string ns;  // empty: cluster-scoped
  std::string name() const;
  std::string path() const { return resource.path(ns, name()); }
};

// `name` empty: Karmada's generated one. No clusters: all of them. Errors: NotFound (no such API).
Result<PolicyDocument> policy_for(const Resources& resources, const api::Json& object,
                                  const std::string& name, const std::vector<std::string>& clusters);

}  // namespace flotilla::ctl
