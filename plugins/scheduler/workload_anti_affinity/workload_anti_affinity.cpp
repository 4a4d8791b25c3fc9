// SPDX-License-Identifier: Apache-2.0
// A workload of an anti-affinity group goes nowhere where another member of the group is. Clusters that run
// it already are kept.
#include <flotilla/sdk/scheduler.hpp>

namespace {

namespace sdk = flotilla::sdk;

class WorkloadAntiAffinity {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {
      .name = "workload_anti_affinity", .summary = "Clusters where none of its anti-affinity group runs"};
  static constexpr bool kBounded = true;
  static constexpr bool kFiltersByPlacement = true;

  void bind(sdk::Binder binder) {
    reason_ = binder.reason("cluster already has workload with the same anti-affinity group");
  }

  void filter(sdk::Workload workload, sdk::Table, sdk::Fits fits) const {
    if (workload.anti_affinity_group == nullptr) return;
    fits.keep_words(
        [&](std::uint32_t word) { return ~workload.anti_affinity_group[word] | workload.targets[word]; },
        reason_);
  }

 private:
  std::uint16_t reason_ = 0;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.scheduler.workload_anti_affinity",
                                      .version = "0.1.0",
                                      .name = "Workload anti-affinity"}),
           &flotilla::sdk::scheduler_component<WorkloadAntiAffinity>)
