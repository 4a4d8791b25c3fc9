// SPDX-License-Identifier: Apache-2.0
// One scheduling decision: filter -> score -> estimate -> select -> assign. Pure: equal inputs, equal answer.
#pragma once

#include <memory>

#include "core/scheduler/binding.hpp"
#include "core/scheduler/cluster_table.hpp"
#include "core/scheduler/decision.hpp"
#include "core/scheduler/policy.hpp"

namespace flotilla::scheduler {

struct Options {
  bool empty_workload_propagation = false;  // targets with 0 replicas for selected clusters that get none
  bool multiple_pod_templates = false;      // gate MultiplePodTemplatesScheduling
  bool record = true;                       // fill Decision::record
  std::int64_t (*ticks)() = nullptr;        // nanoseconds of some clock, for Record::nanoseconds
};

// What a caller keeps between decisions: compiled placements and memory that is used again.
// Thread: one decision at a time.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// With clusterAffinities, the term named in the binding is used (the first if it names none): trying the next
// term after a failure is the caller's loop, since each try is recorded on the binding.
//
// The decision's rows are those of `table`. Fails into Decision::failure, never otherwise.
Decision schedule(const ClusterTable& table, const Binding& binding, Policies& policies,
                  const Options& options, Workspace& workspace);

// The same without anything kept.
Decision schedule(const ClusterTable& table, const Binding& binding, Policies& policies,
                  const Options& options = {});

}  // namespace flotilla::scheduler
