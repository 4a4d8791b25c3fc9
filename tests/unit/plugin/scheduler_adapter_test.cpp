// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/scheduler_adapter.hpp"

#include <gtest/gtest.h>
#include <flotilla/sdk/scheduler.hpp>

#include "core/scheduler/cluster_table_builder.hpp"
#include "core/scheduler/schedule.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::plugin {
namespace {

using scheduler::cluster;
using scheduler::ClusterTablePtr;
using scheduler::table_of;

// Looks at every column it can, and refuses one cluster.
class Curious {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "curious", .summary = "Looks at everything"};

  void bind(sdk::Binder binder) {
    name_ = binder.require("name");
    region_ = binder.require("region");
    labels_ = binder.require("labels");
    cpu_ = binder.require("res.available.cpu");
    gpu_ = binder.require("res.available.gpu");
    EXPECT_EQ(binder.column("no such column"), -1);
    reason_ = binder.reason("is second");
  }
  void filter(sdk::Workload workload, sdk::Table table, sdk::Fits fits) const {
    EXPECT_EQ(table.rows(), 2u);
    EXPECT_EQ(table.text(table.column<std::uint32_t>(name_)[0]), "m1");
    EXPECT_EQ(table.text(table.column<std::uint32_t>(region_)[1]), "eu");
    EXPECT_EQ(table.list<flt_label_t>(labels_)[0].size(), 0u);
    EXPECT_EQ(table.column<std::int64_t>(cpu_)[0], 5000);
    EXPECT_TRUE(table.column<std::int64_t>(gpu_).empty());
    EXPECT_EQ(sdk::view(workload.name), "web");
    EXPECT_EQ(workload.n_affinity, 1u);
    fits.refuse(table.find_row("m2"), reason_);
  }
  void score(sdk::Workload, sdk::Table, sdk::Scores scores) const {
    scores.for_each([&](std::uint32_t row) { scores.set(row, 1000); });
  }

 private:
  std::int32_t name_ = -1;
  std::int32_t region_ = -1;
  std::int32_t labels_ = -1;
  std::int32_t cpu_ = -1;
  std::int32_t gpu_ = -1;
  std::uint16_t reason_ = 0;
};

class Demanding {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "demanding", .summary = "Wants what is not there"};
  void bind(sdk::Binder binder) { binder.require("phase_of_the_moon"); }
  void filter(sdk::Workload, sdk::Table, sdk::Fits) const {}
};

class Broken {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "broken", .summary = "Throws"};
  void filter(sdk::Workload, sdk::Table, sdk::Fits) const { throw std::runtime_error("out of order"); }
};

class Plugin_SchedulerAdapter : public ::testing::Test {
 protected:
  ~Plugin_SchedulerAdapter() override {
    policies_ = scheduler::Policies();
    executor_.stop();
  }
  void add(const flt_component_t& component) {
    auto policy = make_scheduler_policy(Instance::create(environment_, component, {}).value());
    ASSERT_TRUE(policy.ok());
    policies_.add(std::move(*policy));
  }
  scheduler::Decision decide() {
    ClusterTablePtr table = table_of({cluster("m1", "", "5"), cluster("m2", "eu")});
    api::Json spec =
        scheduler::parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},
        "replicas":2,"placement":{"clusterAffinity":{}}})");
    return scheduler::schedule(*table, scheduler::parse_binding(spec, api::Json()), policies_);
  }

  SystemClock clock_;
  Executor executor_{clock_, {.io_threads = 1, .blocking_threads = 1}};
  HostEnvironment environment_{executor_, "flotilla test"};
  scheduler::Policies policies_;
};

TEST_F(Plugin_SchedulerAdapter, shows_the_plugin_the_clusters_and_takes_its_word) {
  add(sdk::scheduler_component<Curious>);
  scheduler::Decision decision = decide();
  ASSERT_TRUE(decision.ok()) << decision.failure.message;
  ASSERT_EQ(decision.targets.size(), 1u);
  EXPECT_EQ(decision.targets[0], (scheduler::Target{0, 2}));
  EXPECT_EQ(policies_.reason(decision.record.reasons[1]), "is second");
  EXPECT_EQ(decision.record.candidates[0].score, 100);
}

TEST_F(Plugin_SchedulerAdapter, says_which_column_a_policy_misses) {
  add(sdk::scheduler_component<Demanding>);
  EXPECT_EQ(decide().failure.message,
            "policy demanding: bind: the cluster table has no column phase_of_the_moon");
}

TEST_F(Plugin_SchedulerAdapter, fails_the_decision_when_a_filter_fails) {
  add(sdk::scheduler_component<Broken>);
  EXPECT_EQ(decide().failure.message, "failed to find fit clusters: policy broken: out of order");
}

TEST_F(Plugin_SchedulerAdapter, refuses_a_component_of_another_kind) {
  flt_component_t other = sdk::scheduler_component<Broken>;
  other.kind = FLT_KIND_OVERRIDE;
  EXPECT_FALSE(make_scheduler_policy(Instance::create(environment_, other, {}).value()).ok());
}

}  // namespace
}  // namespace flotilla::plugin
