// SPDX-License-Identifier: Apache-2.0
// Clusters that run the workload already are preferred.
#include <flotilla/sdk/scheduler.hpp>

namespace {

namespace sdk = flotilla::sdk;

class ClusterLocality {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "cluster_locality",
                                               .summary = "Prefers clusters that run the workload already"};
  static constexpr bool kBounded = true;

  void score(sdk::Workload workload, sdk::Table, sdk::Scores scores) const {
    for (const flt_target_t& target : sdk::previous(workload)) {
      if (scores.covers(target.row)) scores.set(target.row, kBest);
    }
  }

 private:
  static constexpr std::int32_t kBest = 1000;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.scheduler.cluster_locality",
                                      .version = "0.1.0",
                                      .name = "Cluster locality"}),
           &flotilla::sdk::scheduler_component<ClusterLocality>)
