// SPDX-License-Identifier: Apache-2.0
// Asking the control plane what applying manifests would do.
#pragma once

#include <string>
#include <vector>

#include "core/ctl/command.hpp"
#include "core/ctl/manifests.hpp"
#include "core/ctl/resources.hpp"

namespace flotilla::ctl {

struct PlanQuestion {
  bool removes = false;  // what if these were deleted
  int details = 100;
};

// The plan (docs/plan.md). Errors: what the server says, with the manifest at fault.
Result<api::Json> ask_plan(Session& session, const Resources& resources,
                           const std::vector<Manifest>& manifests, const std::string& ns,
                           const PlanQuestion& question = {});

// For people, on stdout.
void print_plan(const api::Json& plan);

}  // namespace flotilla::ctl
