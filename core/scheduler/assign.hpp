// SPDX-License-Identifier: Apache-2.0
// How many replicas each selected cluster gets.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/scheduler/decision.hpp"
#include "core/scheduler/placement.hpp"

namespace flotilla::scheduler {

struct AssignInput {
  Strategy strategy = Strategy::Duplicated;
  std::int32_t replicas = 0;
  bool fresh = false;                     // forget the previous answer
  std::span<const Target> previous;       // the targets still in the table, any order
  std::span<const std::int64_t> weights;  // static weights per row; empty: all alike
  std::string_view uid;                   // of the template: breaks ties
  bool tiers = false;                     // fill one overflow tier after the other
};

// Targets by ascending row, without those that get none. `selected` is in the order of selection.
// `failure` is set on failure; its message is what comes behind "failed to assign replicas: ".
std::vector<Target> assign_replicas(const AssignInput& input, std::span<const Candidate> selected,
                                    Failure& failure);

}  // namespace flotilla::scheduler
