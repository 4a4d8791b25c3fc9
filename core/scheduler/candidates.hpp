// SPDX-License-Identifier: Apache-2.0
// Order among candidates, without comparisons: keys are packed into as few bits as they need and sorted by
// digit.
#pragma once

#include <cstdint>
#include <vector>

#include "core/scheduler/decision.hpp"

namespace flotilla::scheduler {

// By overflow order, then score (highest first), then available replicas (most first); rows that are equal in
// all of it keep their order, which is that of their names.
void order_candidates(std::vector<Candidate>& candidates);

// Positions 0..n-1 by descending key; equal keys keep their order. For keys of any sign.
std::vector<std::uint32_t> descending(const std::vector<std::int64_t>& keys);

}  // namespace flotilla::scheduler
