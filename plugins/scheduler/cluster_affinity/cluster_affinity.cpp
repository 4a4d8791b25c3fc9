// SPDX-License-Identifier: Apache-2.0
// A cluster must match the placement's affinity, or one of its overflow tiers. The host has already worked
// out which rows each of them matches.
#include <flotilla/sdk/scheduler.hpp>

namespace {

namespace sdk = flotilla::sdk;

class ClusterAffinity {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "cluster_affinity",
                                               .summary = "Clusters that the placement's affinity matches"};
  static constexpr bool kBounded = true;
  static constexpr bool kFiltersByPlacement = true;

  void bind(sdk::Binder binder) {
    reason_ = binder.reason("cluster(s) did not match the placement cluster affinity constraint");
  }

  void filter(sdk::Workload workload, sdk::Table, sdk::Fits fits) const {
    if (workload.n_affinity == 0) return;
    fits.keep_words(
        [&](std::uint32_t word) {
          std::uint64_t matched = 0;
          for (std::uint64_t tier = 0; tier < workload.n_affinity; ++tier) {
            matched |= workload.affinity[tier][word];
          }
          return matched;
        },
        reason_);
  }

 private:
  std::uint16_t reason_ = 0;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.scheduler.cluster_affinity",
                                      .version = "0.1.0",
                                      .name = "Cluster affinity"}),
           &flotilla::sdk::scheduler_component<ClusterAffinity>)
