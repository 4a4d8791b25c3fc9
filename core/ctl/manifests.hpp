// SPDX-License-Identifier: Apache-2.0
// Manifests from files, folders and stdin, and the three-way merge that `apply` makes of them.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::ctl {

struct Manifest {
  api::Json object;
  std::string origin;  // "web.yaml" or "web.yaml, document 2"
};

// Files, folders (*.yaml, *.yml, *.json in order of their names) and "-"; lists are taken apart. Errors:
// Invalid with file and line, or what an object lacks.
Result<std::vector<Manifest>> read_manifests(const std::vector<std::string>& paths);

inline constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// The object with what was applied written into it, as kubectl apply does, so that both tools work on one
// object.
api::Json with_last_applied(const api::Json& object);
// A merge patch from `live` to `wanted`: what `last` had and `wanted` has no more is removed. Empty: nothing
// to do.
api::Json three_way_patch(const api::Json& last, const api::Json& wanted, const api::Json& live);

}  // namespace flotilla::ctl
