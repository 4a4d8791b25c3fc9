// SPDX-License-Identifier: Apache-2.0
// A new target must serve the workload's API. A cluster that runs the workload keeps it although its
// discovery may be incomplete just now.
#include <flotilla/sdk/scheduler.hpp>

namespace {

namespace sdk = flotilla::sdk;

class ApiEnablement {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "api_enablement",
                                               .summary = "Clusters that serve the workload's API"};
  static constexpr bool kBounded = true;
  static constexpr bool kFiltersByPlacement = true;

  void bind(sdk::Binder binder) {
    apis_ = binder.require("apis");
    reason_ = binder.reason("cluster(s) did not have the API resource");
  }

  void filter(sdk::Workload workload, sdk::Table table, sdk::Fits fits) const {
    const std::uint64_t* serving = table.bits(apis_, workload.api);
    fits.keep_words(
        [&](std::uint32_t word) { return workload.targets[word] | (serving == nullptr ? 0 : serving[word]); },
        reason_);
  }

 private:
  std::int32_t apis_ = -1;
  std::uint16_t reason_ = 0;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{
               .id = "io.flotilla.scheduler.api_enablement", .version = "0.1.0", .name = "API enablement"}),
           &flotilla::sdk::scheduler_component<ApiEnablement>)
