// SPDX-License-Identifier: Apache-2.0
// A scheduling policy that prefers and divides: gold clusters score highest, and of divided workloads each
// chosen cluster is filled up before the next one gets anything.
#include <flotilla/sdk/scheduler.hpp>

#include <algorithm>

namespace {

namespace sdk = flotilla::sdk;

class HelloAssign {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {
      .name = "hello_assign", .summary = "Fills one cluster after the other, gold ones first"};

  void bind(sdk::Binder binder) { labels_ = binder.require("labels"); }

  // What is duplicated is left to whoever divides otherwise.
  void prepare(sdk::Workload workload, sdk::Table, sdk::Preparation steps) const {
    if (workload.strategy == FLT_DIVIDE_DUPLICATED) steps.skip(FLT_SKIP_ASSIGN);
  }

  void score(sdk::Workload, sdk::Table table, sdk::Scores scores) const {
    const std::uint32_t tier = table.find_sym("tier");
    const std::uint32_t gold = table.find_sym("gold");
    const auto labels = table.list<flt_label_t>(labels_);
    scores.for_each([&](std::uint32_t row) {
      for (const flt_label_t& label : labels[row]) {
        if (label.key == tier && label.value == gold) scores.set(row, 1000);
      }
    });
  }

  // The candidates come best first.
  void assign(sdk::Workload workload, sdk::Table, sdk::Candidates chosen, sdk::Targets targets) const {
    std::int64_t left = workload.replicas;
    for (const flt_candidate_t& candidate : chosen) {
      const auto part = std::clamp<std::int64_t>(candidate.available, 0, left);
      targets.add(candidate.row, static_cast<std::int32_t>(part));
      left -= part;
    }
    if (left > 0) throw sdk::not_enough_room("there is no room for " + std::to_string(left) + " replicas");
  }

 private:
  std::int32_t labels_ = -1;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{
               .id = "io.flotilla.example.hello_assign", .version = "1.0.0", .name = "Hello assign"}),
           &flotilla::sdk::scheduler_component<HelloAssign>)
