// SPDX-License-Identifier: Apache-2.0
// A Workload as plugins see it (sdk/include/flotilla/abi/scheduler.h). Filled once per decision, whichever
// plugins look at it, in memory that the next decision uses again.
#pragma once

#include <flotilla/abi/scheduler.h>

#include <memory>
#include <vector>

#include "core/plugin/host_services.hpp"
#include "core/scheduler/workload.hpp"

namespace flotilla::plugin {

class WorkloadView final : public scheduler::WorkloadView {
 public:
  // That of `workload`, made or filled as needed.
  static WorkloadView& of(const scheduler::Workload& workload);

  const flt_workload_t* get() const { return &raw_; }
  // For one call; take_error() leaves an empty one.
  flt_error_t* error() { return errors_->get(); }
  Error take_error(flt_status_t status);

 private:
  void fill(const scheduler::Workload& workload);
  void show_names(const scheduler::Binding& binding);
  void show_requests(const scheduler::Workload& workload);
  void show_placement(const scheduler::Workload& workload);

  flt_workload_t raw_{};
  std::vector<const std::uint64_t*> affinity_;
  std::vector<flt_toleration_t> tolerations_;
  std::vector<flt_spread_t> spread_;
  std::vector<flt_pod_set_t> components_;
  std::unique_ptr<ErrorSlot> errors_ = std::make_unique<ErrorSlot>();
};

}  // namespace flotilla::plugin
