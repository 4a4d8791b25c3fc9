// SPDX-License-Identifier: Apache-2.0
// A cluster that the workload is being evicted from does not get it back.
#include <flotilla/sdk/scheduler.hpp>

namespace {

namespace sdk = flotilla::sdk;

class ClusterEviction {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "cluster_eviction",
                                               .summary = "Clusters that the workload is not evicted from"};
  static constexpr bool kBounded = true;
  static constexpr bool kFiltersByPlacement = true;

  void bind(sdk::Binder binder) { reason_ = binder.reason("cluster(s) is in the process of eviction"); }

  void filter(sdk::Workload workload, sdk::Table, sdk::Fits fits) const {
    fits.keep_words([&](std::uint32_t word) { return ~workload.evicting[word]; }, reason_);
  }

 private:
  std::uint16_t reason_ = 0;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.scheduler.cluster_eviction",
                                      .version = "0.1.0",
                                      .name = "Cluster eviction"}),
           &flotilla::sdk::scheduler_component<ClusterEviction>)
