// SPDX-License-Identifier: Apache-2.0
// Manifests from files, folders and stdin, and the merge that `apply` makes of them.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/patch/last_applied.hpp"
#include "core/base/result.hpp"

namespace flotilla::ctl {

struct Manifest {
  api::Json object;
  std::string origin;  // "web.yaml" or "web.yaml, document 2"
};

// Files, folders (*.yaml, *.yml, *.json in order of their names) and "-"; lists are taken apart. Errors:
// Invalid with file and line, or what an object lacks.
Result<std::vector<Manifest>> read_manifests(const std::vector<std::string>& paths);

using api::kLastApplied;
using api::three_way_patch;
using api::with_last_applied;

}  // namespace flotilla::ctl
