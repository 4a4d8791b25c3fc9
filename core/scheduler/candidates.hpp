// SPDX-License-Identifier: Apache-2.0
// Order among candidates.
#pragma once

#include <cstdint>
#include <vector>

#include "core/scheduler/decision.hpp"

namespace flotilla::scheduler {

// By overflow order, then score (highest first), then available replicas (most first); rows that are equal in
// all of it keep their order, which is that of their names.
void order_candidates(std::vector<Candidate>& candidates);

}  // namespace flotilla::scheduler
