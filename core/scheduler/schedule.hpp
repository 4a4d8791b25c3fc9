// SPDX-License-Identifier: Apache-2.0
// One scheduling decision: prepare -> filter -> score -> estimate -> select -> assign. Pure: equal inputs,
// equal answer.
#pragma once

#include <memory>

#include "core/scheduler/binding.hpp"
#include "core/scheduler/cluster_table.hpp"
#include "core/scheduler/decision.hpp"
#include "core/scheduler/policy.hpp"
#include "core/scheduler/resolve.hpp"

namespace flotilla::scheduler {

struct Options {
  bool empty_workload_propagation = false;  // targets with 0 replicas for selected clusters that get none
  bool multiple_pod_templates = false;      // gate MultiplePodTemplatesScheduling
  bool spread_by_any = false;               // gate SpreadByLabel
  bool record = true;                       // fill Decision::record
  const AffinityGroups* groups = nullptr;   // where other members of workload affinity groups are
  std::int64_t (*ticks)() = nullptr;        // nanoseconds of some clock, for Record::nanoseconds
  bool time_policies = false;               // each policy too; needs record and ticks
  // Of the thread that decides, where policies may hang. A decision that was given up ends at once with
  // FailureKind::Other, and nothing that others share is touched from then on.
  CallWatch* watch = nullptr;
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

// Tells the policies that want to know what became of a decision, once it is written or given up.
void report(const ClusterTable& table, const Binding& binding, const Policies& policies,
            const Options& options, Workspace& workspace, Outcome outcome, std::span<const Target> targets);

}  // namespace flotilla::scheduler
