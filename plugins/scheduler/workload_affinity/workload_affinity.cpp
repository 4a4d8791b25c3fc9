// SPDX-License-Identifier: Apache-2.0
// A workload of an affinity group goes only where every other member of the group with clusters is. Clusters
// that run it already are kept.
#include <flotilla/sdk/scheduler.hpp>

namespace {

namespace sdk = flotilla::sdk;

class WorkloadAffinity {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "workload_affinity",
                                               .summary = "Clusters where all of its affinity group runs"};
  static constexpr bool kBounded = true;
  static constexpr bool kFiltersByPlacement = true;

  void bind(sdk::Binder binder) {
    reason_ = binder.reason("ResourceBinding with the same affinity group does not target this cluster");
  }

  void filter(sdk::Workload workload, sdk::Table, sdk::Fits fits) const {
    if (workload.affinity_group == nullptr) return;
    fits.keep_words(
        [&](std::uint32_t word) { return workload.affinity_group[word] | workload.targets[word]; }, reason_);
  }

 private:
  std::uint16_t reason_ = 0;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.scheduler.workload_affinity",
                                      .version = "0.1.0",
                                      .name = "Workload affinity"}),
           &flotilla::sdk::scheduler_component<WorkloadAffinity>)
