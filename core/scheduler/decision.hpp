// SPDX-License-Identifier: Apache-2.0
// The answer of scheduling and the record of how it came about.
#pragma once

#include <array>
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

// What one policy wrote in the step Score, per row; only rows that fit mean something. Its part of a
// candidate's score is a tenth of it times the weight.
struct ScoreColumn {
  std::uint8_t policy = 0;
  std::int32_t weight = 1;
  std::vector<std::int32_t> scores;
};

inline constexpr std::uint8_t kGeneralEstimator = 0xff;  // of records from before estimators were policies

// What one estimator said, per row; -1: it does not know. Only rows that fit mean something.
struct EstimateColumn {
  std::uint8_t policy = kGeneralEstimator;
  bool failed = false;  // then it is as if it had not been asked
  std::string remark;   // why, or why it is left out for some clusters
  std::vector<std::int32_t> replicas;
};

enum class Step : std::uint8_t { Filter, Score, Estimate, Select, Assign };
inline constexpr std::size_t kSteps = 5;

// One call of a policy, in a decision that was timed.
struct PolicyTime {
  enum class Result : std::uint8_t { Success, Unschedulable, Error };  // Unschedulable: it left no cluster
  std::uint8_t policy = 0;                                             // its place
  Step step = Step::Filter;
  Result result = Result::Success;
  std::int64_t nanoseconds = 0;
};

// What was found out about each cluster. Rows are those of the table that was asked.
struct Record {
  std::vector<Reason> reasons;         // per row
  std::vector<std::uint8_t> policies;  // per row: the policy (by its place) whose verdict the reason is
  std::vector<Candidate> candidates;   // those that fit, with score and room
  std::vector<Row> selected;           // after spreading, in order
  std::vector<ScoreColumn> scores;     // in the order of policies; those of weight 0 are not asked
  std::vector<EstimateColumn> estimates;
  std::vector<std::int64_t> weights;               // per row, where static weights divide
  std::array<std::int64_t, kSteps> nanoseconds{};  // per step; zeros without Options::ticks
  std::vector<PolicyTime> policy_times;            // filters and scores, with Options::time_policies
};

struct Decision {
  std::vector<Target> targets;   // by row, hence by name
  bool with_components = false;  // every target gets a copy of the binding's components
  Failure failure;               // targets mean nothing then
  Record record;

  bool ok() const { return failure.kind == FailureKind::None; }
};

}  // namespace flotilla::scheduler
