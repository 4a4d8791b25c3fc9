// SPDX-License-Identifier: Apache-2.0
// The answer of scheduling and the record of how it came about.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/scheduler/row_set.hpp"

namespace flotilla::scheduler {

enum class FailureKind : std::uint8_t {
  None,
  NoClusterFit,   // the filters leave nothing: retried only when clusters or the binding change
  Unschedulable,  // there are clusters, but not enough room
  Other,
};

struct Failure {
  FailureKind kind = FailureKind::None;
  std::string message;
};

struct Target {
  Row row = kNoRow;
  std::int32_t replicas = 0;
  bool operator==(const Target&) const = default;
};

// A cluster that fits, on its way through select and assign.
struct Candidate {
  Row row = kNoRow;
  std::int32_t score = 0;
  std::int32_t allocatable = 0;     // further replicas it can take
  std::int32_t overflow_order = 0;  // 0: the term's own affinity, i: its overflow tier i, 1000: none
  std::int64_t available = 0;       // allocatable and what it has already
};

// A reason is a number of Policies::reason; 0 means that the cluster fits.
using Reason = std::uint16_t;

// What was found out about each cluster. Rows are those of the table that was asked.
struct Record {
  std::vector<Reason> reasons;         // per row
  std::vector<std::uint8_t> policies;  // per row: the policy (by its place) whose verdict the reason is
  std::vector<Candidate> candidates;   // those that fit, with score and room
  std::vector<Row> selected;           // after spreading, in order
};

struct Decision {
  std::vector<Target> targets;   // by row, hence by name
  bool with_components = false;  // every target gets a copy of the binding's components
  Failure failure;               // targets mean nothing then
  Record record;

  bool ok() const { return failure.kind == FailureKind::None; }
};

}  // namespace flotilla::scheduler
