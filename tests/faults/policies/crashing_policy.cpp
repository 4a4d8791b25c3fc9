// SPDX-License-Identifier: Apache-2.0
// A policy that takes the daemon with it when it is asked about a workload called "crashes"; a little later,
// so that whoever made the workload has heard that it is stored.
#include <chrono>
#include <cstdlib>
#include <flotilla/sdk/scheduler.hpp>
#include <thread>

namespace {

namespace sdk = flotilla::sdk;

class Crashes {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "crashes", .summary = "Crashes"};

  void filter(sdk::Workload workload, sdk::Table, sdk::Fits) const {
    if (sdk::view(workload.name) != "crashes") return;
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    std::abort();
  }
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "org.example.crashes", .version = "1.0.0", .name = "Crashes"}),
           &flotilla::sdk::scheduler_component<Crashes>)
