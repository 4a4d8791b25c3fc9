// SPDX-License-Identifier: Apache-2.0
// A scheduling policy in one file: workloads stay out of regions whose name begins with "edge".
#include <flotilla/sdk/scheduler.hpp>

namespace {

namespace sdk = flotilla::sdk;

class HelloFilter {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "hello_filter",
                                               .summary = "Stays out of edge regions"};

  // Once: which columns of the cluster table are wanted, and the reason that people will read.
  void bind(sdk::Binder binder) {
    regions_ = binder.require("region");
    reason_ = binder.reason("cluster(s) are at the edge");
  }

  // For every workload, all clusters in one call.
  void filter(sdk::Workload, sdk::Table table, sdk::Fits fits) const {
    const auto regions = table.column<std::uint32_t>(regions_);
    fits.refuse_if([&](std::uint32_t row) { return table.text(regions[row]).starts_with("edge"); }, reason_);
  }

 private:
  std::int32_t regions_ = -1;
  std::uint16_t reason_ = 0;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{
               .id = "io.flotilla.example.hello_filter", .version = "1.0.0", .name = "Hello filter"}),
           &flotilla::sdk::scheduler_component<HelloFilter>)
