// SPDX-License-Identifier: Apache-2.0
// Every policy of plugins/scheduler passes the suite that authors of policies are given; one that lies does
// not.
#include <gtest/gtest.h>
#include <flotilla/sdk/scheduler.hpp>

#include "sdk/conformance/scheduler_suite.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_api_enablement;
extern const flt_plugin_v1_t flt_plugin_cluster_affinity;
extern const flt_plugin_v1_t flt_plugin_cluster_eviction;
extern const flt_plugin_v1_t flt_plugin_cluster_locality;
extern const flt_plugin_v1_t flt_plugin_general_estimator;
extern const flt_plugin_v1_t flt_plugin_group_selection;
extern const flt_plugin_v1_t flt_plugin_replica_division;
extern const flt_plugin_v1_t flt_plugin_spread_constraint;
extern const flt_plugin_v1_t flt_plugin_taint_toleration;
extern const flt_plugin_v1_t flt_plugin_workload_affinity;
extern const flt_plugin_v1_t flt_plugin_workload_anti_affinity;
}

namespace flotilla::conformance {
namespace {

TEST(Plugins_Scheduler, every_policy_passes_the_conformance_suite) {
  for (const flt_plugin_v1_t* plugin :
       {&flt_plugin_api_enablement, &flt_plugin_cluster_affinity, &flt_plugin_cluster_eviction,
        &flt_plugin_cluster_locality, &flt_plugin_general_estimator, &flt_plugin_group_selection,
        &flt_plugin_replica_division, &flt_plugin_spread_constraint, &flt_plugin_taint_toleration,
        &flt_plugin_workload_affinity, &flt_plugin_workload_anti_affinity}) {
    const SchedulerSubject subject{plugin->components[0]};
    for (const SchedulerCheck& check : scheduler_checks()) {
      EXPECT_EQ(run_check(check, subject), "") << plugin->id << " " << check.id << ": " << check.rule;
    }
  }
}

class Liar {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "liar", .summary = "Scores out of range"};
  void score(sdk::Workload, sdk::Table, sdk::Scores scores) const {
    scores.for_each([&](std::uint32_t row) { scores.set(row, 1001); });
  }
  void assign(sdk::Workload, sdk::Table, sdk::Candidates, sdk::Targets) const {}
};

class Moody {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "moody", .summary = "Remembers"};
  void score(sdk::Workload, sdk::Table, sdk::Scores scores) const {
    ++times_;
    scores.for_each([&](std::uint32_t row) { scores.set(row, times_ % 1000); });
  }

 private:
  mutable int times_ = 0;
};

std::string first_fault(const flt_component_t& component) {
  for (const SchedulerCheck& check : scheduler_checks()) {
    const std::string fault = run_check(check, {&component});
    if (!fault.empty()) return std::string(check.id) + ": " + fault;
  }
  return {};
}

TEST(Plugins_Scheduler, what_breaks_the_rules_does_not_pass) {
  EXPECT_EQ(first_fault(sdk::scheduler_component<Liar>), "SCH-ANSWERS: a score is not between 0 and 1000");
  EXPECT_EQ(first_fault(sdk::scheduler_component<Moody>), "SCH-PURE: asked again it answers otherwise");
}

}  // namespace
}  // namespace flotilla::conformance
