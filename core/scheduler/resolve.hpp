// SPDX-License-Identifier: Apache-2.0
// From a binding to what policies are given of it: names become rows and symbols of one table.
#pragma once

#include <cstdint>
#include <memory>

#include "core/scheduler/affinity_groups.hpp"
#include "core/scheduler/workload.hpp"

namespace flotilla::scheduler {

struct ResolveOptions {
  bool multiple_pod_templates = false;     // gate MultiplePodTemplatesScheduling
  const AffinityGroups* groups = nullptr;  // null: nobody is in a group
  bool spread_by_any = false;              // gate SpreadByLabel
};

// Keeps its memory and compiled placements from one decision to the next. Thread: one at a time.
class Resolver {
 public:
  Resolver();
  ~Resolver();
  Resolver(Resolver&&) noexcept;
  Resolver& operator=(Resolver&&) noexcept;

  // Valid until the next call; table and binding outlive it.
  Workload& resolve(const ClusterTable& table, const Binding& binding, const ResolveOptions& options);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::scheduler
