// SPDX-License-Identifier: Apache-2.0
// One binding against one table: names have become rows and symbols. This is what policies are given.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/scheduler/binding.hpp"
#include "core/scheduler/call_watch.hpp"
#include "core/scheduler/cluster_table.hpp"
#include "core/scheduler/decision.hpp"
#include "core/scheduler/estimate.hpp"
#include "core/scheduler/placement.hpp"

namespace flotilla::scheduler {

// Texts no cluster has are kUnknownSym.
struct SymToleration {
  Sym key = kNoSym;
  Sym value = kNoSym;
  Toleration::Operator op = Toleration::Operator::Equal;
  TaintEffect effect = TaintEffect::None;
};

// What whoever shows a workload to policies keeps between the calls of one decision, and of the next.
struct WorkloadView {
  virtual ~WorkloadView() = default;
  std::uint64_t decision = 0;  // the Workload::decision it was made for
};

// All spans live as long as the decision. `binding` is the source; what follows is resolved against `table`.
struct Workload {
  const ClusterTable* table = nullptr;
  const Binding* binding = nullptr;
  const CompiledPlacement* placement = nullptr;
  std::size_t term = 0;        // the affinity term in use
  std::uint64_t decision = 0;  // another number for each decision of a workspace, never 0

  std::uint32_t api = kNoApi;
  bool divisible = false;       // is a workload: has replicas, requirements or components
  bool whole_sets = false;      // its components are placed as whole sets
  bool tiers = false;           // one overflow tier is filled after the other
  bool spreads = false;         // spread constraints are in force
  bool spreads_by_any = false;  // those by provider, zone and label choose, as those by region do
  const ResolvedRequests* requests = nullptr;
  std::span<const ResolvedRequests> components;    // per component of the binding
  const ResolvedRequests* set_requests = nullptr;  // what all components together request; null without
  std::span<const Target> previous;                // the targets that are still in the table
  std::span<const std::uint64_t> targets;          // the same as a set, whatever their replicas
  std::span<const std::uint64_t> evicting;
  // Rows of the affinity in use and, for workloads, of its overflow tiers. Empty: every cluster matches.
  std::span<const std::span<const std::uint64_t>> affinity;
  std::span<const SymToleration> tolerations;
  // Clusters that every other member of its affinity group with clusters has, and those that any other member
  // of its anti-affinity group has. Empty: there is no such member.
  std::span<const std::uint64_t> affinity_group;
  std::span<const std::uint64_t> anti_affinity_group;

  // Per policy: the steps it passed in prepare(), k…Step, and kAnyOrder. Empty: nobody was asked yet.
  std::span<const std::uint32_t> skipped;

  CallWatch* watch = nullptr;  // of the thread that decides; null: nobody waits with a bound

  mutable std::unique_ptr<WorkloadView> view;

  Strategy strategy() const {
    return binding->placement->has_scheduling ? binding->placement->strategy : Strategy::Duplicated;
  }
};

}  // namespace flotilla::scheduler
