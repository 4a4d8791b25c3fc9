// SPDX-License-Identifier: Apache-2.0
// Policies that answer garbage, nothing, too late, or throw: the decision fails with the policy's name and
// what it did, others go on, and a policy that keeps doing so rests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <flotilla/sdk/scheduler.hpp>

#include "core/plugin/scheduler_adapter.hpp"
#include "core/scheduler/schedule.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::plugin {
namespace {

using scheduler::cluster;
using scheduler::ClusterTablePtr;
using scheduler::table_of;
using ::testing::HasSubstr;

ManualClock* the_clock = nullptr;
int calls = 0;

// What goes wrong; the code of all these policies is one class per step.
enum class Wrong {
  Nothing,
  BringsBack,
  BeyondTheTable,
  StrangeReason,
  NoReason,
  Fails,
  Late,
  Negative,
  TooMuch,
  Twice,
  Outside,
  TooMany,
  TooFew,
  Empty,
};
Wrong wrong = Wrong::Nothing;

class Filters {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "filters", .summary = "Filters wrongly"};
};

void be_slow_or_fail() {
  ++calls;
  if (wrong == Wrong::Late) the_clock->advance(std::chrono::seconds(2));
  if (wrong == Wrong::Fails) throw std::runtime_error("out of order");
}

flt_status_t filter_wrongly(void*, const flt_cycle_t*, const flt_workload_t*, flt_rows_t, std::uint64_t* fits,
                            std::uint16_t* reasons, flt_error_t*) {
  be_slow_or_fail();                                  // throws across the boundary, which the SDK never would
  if (wrong == Wrong::BringsBack) fits[0] |= 4;       // m3 is being deleted
  if (wrong == Wrong::BeyondTheTable) fits[0] |= 64;  // there is no row 6
  if (wrong == Wrong::StrangeReason || wrong == Wrong::NoReason) fits[0] &= ~std::uint64_t{1};
  if (wrong == Wrong::StrangeReason) reasons[0] = 4711;
  return FLT_OK;
}

class Scores {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "scores", .summary = "Scores wrongly"};
  void score(sdk::Workload, sdk::Table, sdk::Scores scores) const {
    be_slow_or_fail();
    scores.for_each([&](std::uint32_t row) {
      scores.set(row, wrong == Wrong::Negative ? -1 : wrong == Wrong::TooMuch ? 1001 : 1000);
    });
  }
};

class Estimates {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "estimates", .summary = "Estimates wrongly"};
  void estimate(sdk::Workload, sdk::Table, sdk::Estimates estimates) const {
    be_slow_or_fail();
    estimates.for_each([&](std::uint32_t row) { estimates.set(row, wrong == Wrong::Negative ? -7 : 1); });
  }
};

flt_status_t select_wrongly(void*, const flt_cycle_t*, const flt_workload_t*, const flt_candidate_t* from,
                            std::uint64_t n, std::uint32_t* chosen, std::uint64_t* count, flt_error_t*) {
  be_slow_or_fail();
  for (std::uint64_t i = 0; i < n; ++i) chosen[i] = from[i].row;
  *count = wrong == Wrong::Empty ? 0 : wrong == Wrong::TooMany ? n + 3 : n;
  if (wrong == Wrong::Twice) chosen[1] = chosen[0];
  if (wrong == Wrong::Outside) chosen[1] = 4711;
  return FLT_OK;
}

flt_status_t assign_wrongly(void*, const flt_cycle_t*, const flt_workload_t* workload,
                            const flt_candidate_t* from, std::uint64_t n, flt_target_t* targets,
                            std::uint64_t* count, flt_error_t*) {
  be_slow_or_fail();
  for (std::uint64_t i = 0; i < n; ++i) targets[i] = {from[i].row, i == 0 ? workload->replicas : 0};
  *count = wrong == Wrong::Empty ? 0 : wrong == Wrong::TooMany ? n + 3 : n;
  if (wrong == Wrong::Twice) targets[1].row = targets[0].row;
  if (wrong == Wrong::Outside) targets[1].row = 2;
  if (wrong == Wrong::Negative) targets[1].replicas = -1;
  if (wrong == Wrong::TooMuch) targets[1].replicas = workload->replicas + 1;
  if (wrong == Wrong::TooFew) targets[0].replicas -= 1;
  return FLT_OK;
}

class Plugin_SchedulerFaults : public ::testing::Test {
 protected:
  Plugin_SchedulerFaults() {
    the_clock = &clock_;
    wrong = Wrong::Nothing;
    calls = 0;
  }
  ~Plugin_SchedulerFaults() override {
    policies_ = scheduler::Policies();
    executor_.stop();
  }
  void add(const flt_component_t& component) {
    auto policy = make_scheduler_policy(Instance::create(environment_, component, {}).value());
    ASSERT_TRUE(policy.ok());
    policies_.add(std::move(*policy));
  }
  // A component with these operations alone, as a stranger would write it in C.
  void add_raw(const char* name, flt_scheduler_ops_t ops) {
    ops.struct_size = sizeof ops;
    ops_.push_back(std::make_unique<flt_scheduler_ops_t>(ops));
    raw_.push_back(std::make_unique<flt_component_t>(sdk::scheduler_component<Filters>));
    raw_.back()->name = name;
    raw_.back()->ops = ops_.back().get();
    add(*raw_.back());
  }
  scheduler::Decision decide(Wrong how) {
    wrong = how;
    api::Json deleting = cluster("m3");
    deleting.make({"metadata", "deletionTimestamp"}) = "2026-01-01T00:00:00Z";
    ClusterTablePtr table = table_of({cluster("m1"), cluster("m2"), deleting});
    api::Json spec =
        scheduler::parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},
        "replicas":5,"placement":{"replicaScheduling":{"replicaSchedulingType":"Divided",
        "replicaDivisionPreference":"Weighted"}}})");
    if (!divided_) spec["placement"] = api::Json::object();
    return scheduler::schedule(*table, scheduler::parse_binding(spec, api::Json()), policies_);
  }
  std::string failed(Wrong how) { return decide(how).failure.message; }

  ManualClock clock_{WallTime()};
  Executor executor_{clock_, {.io_threads = 1, .blocking_threads = 1}};
  HostEnvironment environment_{executor_, "flotilla test"};
  std::vector<std::unique_ptr<flt_scheduler_ops_t>> ops_;
  std::vector<std::unique_ptr<flt_component_t>> raw_;
  scheduler::Policies policies_;
  bool divided_ = false;
};

TEST_F(Plugin_SchedulerFaults, of_a_filter_fail_the_decision) {
  flt_scheduler_ops_t ops{};
  ops.filter = filter_wrongly;
  add_raw("filters", ops);
  const std::string doing = "failed to find fit clusters: policy filters";
  EXPECT_EQ(failed(Wrong::BringsBack), doing + " brought back clusters that were refused already");
  EXPECT_EQ(failed(Wrong::BeyondTheTable), doing + " brought back clusters that were refused already");
  EXPECT_EQ(failed(Wrong::StrangeReason), doing + " gave a reason that it never registered");
  EXPECT_EQ(failed(Wrong::Fails), doing + ": threw: out of order");
  EXPECT_EQ(failed(Wrong::Late), doing + ": took 2000 ms, at most 1000 ms are allowed");
  scheduler::Decision decision = decide(Wrong::NoReason);
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(policies_.reason(decision.record.reasons[0]),
            "cluster(s) were refused by policy filters without a reason");
}

TEST_F(Plugin_SchedulerFaults, of_a_score_fail_the_decision) {
  add(sdk::scheduler_component<Scores>);
  EXPECT_EQ(failed(Wrong::TooMuch),
            "failed to prioritize clusters: policy scores gave a score of 1001, not 0 to 1000");
  EXPECT_EQ(failed(Wrong::Negative),
            "failed to prioritize clusters: policy scores gave a score of -1, not 0 to 1000");
  EXPECT_TRUE(decide(Wrong::Nothing).ok());
}

TEST_F(Plugin_SchedulerFaults, of_an_estimator_leave_it_out) {
  add(sdk::scheduler_component<Estimates>);
  EXPECT_EQ(decide(Wrong::Nothing).record.candidates[0].allocatable, 1);
  for (Wrong how : {Wrong::Negative, Wrong::Fails, Wrong::Late}) {
    scheduler::Decision decision = decide(how);
    ASSERT_TRUE(decision.ok());
    EXPECT_EQ(decision.record.candidates[0].allocatable, 5);
    EXPECT_TRUE(decision.record.estimates[0].failed);
  }
}

TEST_F(Plugin_SchedulerFaults, of_a_selection_fail_the_decision) {
  flt_scheduler_ops_t ops{};
  ops.select = select_wrongly;
  add_raw("selects", ops);
  const std::string doing = "failed to select clusters: policy selects";
  EXPECT_TRUE(decide(Wrong::Nothing).ok());
  EXPECT_EQ(failed(Wrong::Twice), doing + " chose a cluster twice, or one that was no candidate");
  EXPECT_EQ(failed(Wrong::Outside), doing + " chose a cluster twice, or one that was no candidate");
  EXPECT_EQ(failed(Wrong::TooMany), doing + " chose 5 of 2 clusters");
  EXPECT_EQ(failed(Wrong::Fails), doing + ": threw: out of order");
  EXPECT_EQ(failed(Wrong::Empty), "failed to assign replicas: no clusters available to schedule");
}

TEST_F(Plugin_SchedulerFaults, of_a_division_fail_the_decision) {
  flt_scheduler_ops_t ops{};
  ops.assign = assign_wrongly;
  add_raw("assigns", ops);
  divided_ = true;
  const std::string doing = "failed to assign replicas: policy assigns";
  scheduler::Decision decision = decide(Wrong::Nothing);
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision.targets, (std::vector<scheduler::Target>{{0, 5}}));
  EXPECT_EQ(failed(Wrong::Empty), doing + " assigned 0 of 5 replicas");
  EXPECT_EQ(failed(Wrong::TooFew), doing + " assigned 4 of 5 replicas");
  EXPECT_EQ(failed(Wrong::TooMany), doing + " assigned replicas to 5 of 2 clusters");
  EXPECT_EQ(failed(Wrong::Negative), doing + " assigned -1 replicas to m2, of 5");
  EXPECT_EQ(failed(Wrong::TooMuch), doing + " assigned 6 replicas to m2, of 5");
  const std::string where = " assigned replicas to a cluster twice, or to one that was not selected";
  EXPECT_EQ(failed(Wrong::Twice), doing + where);
  EXPECT_EQ(failed(Wrong::Outside), doing + where);
}

TEST_F(Plugin_SchedulerFaults, are_too_many_at_some_point) {
  flt_scheduler_ops_t ops{};
  ops.filter = filter_wrongly;
  add_raw("filters", ops);
  for (int i = 0; i < 20; ++i) failed(Wrong::Fails);
  EXPECT_EQ(calls, 20);
  EXPECT_THAT(
      failed(Wrong::Nothing),
      HasSubstr("policy filters: rests after too many faults, the last of them: threw: out of order"));
  EXPECT_EQ(calls, 20);
  clock_.advance(std::chrono::seconds(31));
  EXPECT_TRUE(decide(Wrong::Nothing).ok());
  EXPECT_EQ(calls, 21);
}

TEST_F(Plugin_SchedulerFaults, of_what_only_advises_leave_it_out_in_the_end) {
  add(sdk::scheduler_component<Scores>);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(decide(Wrong::Fails).ok());
  EXPECT_TRUE(decide(Wrong::Fails).ok());
  EXPECT_EQ(calls, 20);
}

TEST_F(Plugin_SchedulerFaults, are_forgotten_after_a_while) {
  flt_scheduler_ops_t ops{};
  ops.filter = filter_wrongly;
  add_raw("filters", ops);
  for (int i = 0; i < 50; ++i) {
    failed(Wrong::Fails);
    clock_.advance(std::chrono::seconds(10));
  }
  EXPECT_TRUE(decide(Wrong::Nothing).ok());
}

}  // namespace
}  // namespace flotilla::plugin
