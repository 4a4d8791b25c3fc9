// SPDX-License-Identifier: Apache-2.0
// Why a template is where it is, and not where it is not: claim, policies, the scheduler's verdict on every
// cluster, the state of each Work, what was removed and for what cause; and what to do next.
#pragma once

#include <string>

#include "core/planning/subject.hpp"

namespace flotilla::planning {

// `only`: what is said of clusters is said of this one alone; empty: of all. Errors: NotFound (the cluster).
// Thread: as Sources::policies.
Result<Json> explain(const Sources& sources, const Subject& subject, const std::string& only);

}  // namespace flotilla::planning
