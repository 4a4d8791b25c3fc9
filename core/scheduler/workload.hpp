// SPDX-License-Identifier: Apache-2.0
// One binding against one table: names have become rows and symbols. This is what policies are given.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/scheduler/binding.hpp"
#include "core/scheduler/cluster_table.hpp"
#include "core/scheduler/decision.hpp"
#include "core/scheduler/placement.hpp"

namespace flotilla::scheduler {

// Texts no cluster has are kUnknownSym.
struct SymToleration {
  Sym key = kNoSym;
  Sym value = kNoSym;
  Toleration::Operator op = Toleration::Operator::Equal;
  TaintEffect effect = TaintEffect::None;
};

// All spans live as long as the decision. `binding` is the source; what follows is resolved against `table`.
struct Workload {
  const ClusterTable* table = nullptr;
  const Binding* binding = nullptr;
  const CompiledPlacement* placement = nullptr;
  std::size_t term = 0;  // the affinity term in use

  std::uint32_t api = kNoApi;
  bool divisible = false;                  // is a workload: has replicas, requirements or components
  std::span<const std::int64_t> requests;  // per resource of the table, 0: not requested
  bool requests_unknown = false;           // something is requested that no cluster has
  std::span<const Target> previous;        // the targets that are still in the table
  std::span<const std::uint64_t> targets;  // the same as a set, whatever their replicas
  std::span<const std::uint64_t> evicting;
  // Rows of the affinity in use and, for workloads, of its overflow tiers. Empty: every cluster matches.
  std::span<const std::span<const std::uint64_t>> affinity;
  std::span<const SymToleration> tolerations;
};

}  // namespace flotilla::scheduler
