// SPDX-License-Identifier: Apache-2.0
// Policies whose calls do not return: the decision fails with their name, others go on, and who hangs too
// often is left out.
#include "core/controllers/schedule/watched_decisions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <flotilla/sdk/scheduler.hpp>
#include <thread>

#include "core/plugin/scheduler_adapter.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::controllers {
namespace {

using scheduler::ClusterTablePtr;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration kDeadline = std::chrono::milliseconds(60);

std::atomic<bool> hanging{true};          // until a test lets go
std::atomic<int> inside{0}, filtered{0};  // calls of the filter
std::atomic<bool> listens{false}, hangs_at_tables{false};
std::vector<std::uint32_t> outcomes;

void hang(const flt_cycle_t* cycle) {
  ++inside;
  while (hanging && !(listens && cycle != nullptr && *cycle->cancelled != 0))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  --inside;
}

// Hangs at workloads called "stuck".
flt_status_t filter(void*, const flt_cycle_t* cycle, const flt_workload_t* workload, flt_rows_t,
                    std::uint64_t*, std::uint16_t*, flt_error_t*) {
  ++filtered;
  if (sdk::view(workload->name) == "stuck") hang(cycle);
  return FLT_OK;
}
flt_status_t table_changed(void*, const flt_binder_t*, const flt_table_t*, const std::uint64_t*,
                           flt_error_t*) {
  EXPECT_TRUE(inside == 0 || hangs_at_tables) << "shown a table while a call is under way";
  if (hangs_at_tables) hang(nullptr);
  return FLT_OK;
}
void observe(void*, const flt_cycle_t*, const flt_workload_t*, std::uint32_t outcome, const flt_target_t*,
             std::uint64_t) {
  outcomes.push_back(outcome);
}

class Stranger {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "stranger", .summary = "Hangs at times"};
};

class Controllers_WatchedDecisions : public testing::Test {
 protected:
  Controllers_WatchedDecisions() {
    hanging = true;
    listens = hangs_at_tables = false;
    filtered = 0;
    outcomes.clear();
    ops_.struct_size = sizeof ops_;
    ops_.filter = filter;
    ops_.table_changed = table_changed;
    ops_.observe = observe;
    component_.ops = &ops_;
    plugin::SchedulerPolicyLimits limits;
    limits.longest_call = kDeadline;
    limits.on_hang = [this](const std::string& component, const std::string&, bool left_out) {
      told_.push_back(component + (left_out ? " left out" : ""));
    };
    auto instance = plugin::Instance::create(environment_, component_, {}).value();
    policies_.add(plugin::make_scheduler_policy(std::move(instance), limits).value());
    clusters_ = scheduler::table_of({scheduler::cluster("m1"), scheduler::cluster("m2")});
    decisions_ = std::make_unique<WatchedDecisions>(scheduler::Options(), kDeadline);
  }
  ~Controllers_WatchedDecisions() override {
    decisions_->stop();
    hanging = false;
    while (policies_.stuck()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    policies_ = scheduler::Policies();
    decisions_.reset();
    executor_.stop();
  }
  void ask(std::uint64_t id, std::string_view name) {
    api::Json spec =
        scheduler::parsed(R"({"resource":{"apiVersion":"v1","kind":"ConfigMap"},"placement":{}})");
    spec["resource"].set("name", name);
    decisions_->ask({id, scheduler::parse_binding(spec, api::Json()), clusters_, &policies_});
  }
  // "1: m1 m2", "2: policy ... ", in the order of ids.
  std::map<std::uint64_t, std::string> settle() {
    decisions_->settle_blocking();
    std::map<std::uint64_t, std::string> texts;
    for (const auto& answer : decisions_->take_answers()) {
      const scheduler::Decision& decision = answer.attempt.decision;
      std::string text = decision.failure.message;
      for (const scheduler::Target& target : decision.targets)
        text += (text.empty() ? "" : " ") + std::string(answer.table->name(target.row));
      texts[answer.id] = text;
    }
    return texts;
  }

  flt_scheduler_ops_t ops_{};
  flt_component_t component_ = sdk::scheduler_component<Stranger>;
  SystemClock clock_;
  Executor executor_{clock_, {.io_threads = 1, .blocking_threads = 1}};
  plugin::HostEnvironment environment_{executor_, "flotilla test"};
  scheduler::Policies policies_;
  ClusterTablePtr clusters_;
  std::vector<std::string> told_;
  std::unique_ptr<WatchedDecisions> decisions_;
};

constexpr const char* kGivenUp =
    "policy stranger did not return from filter within 60 ms and was given up; leave it out with "
    "\"-stranger\" in "
    "the plugins of the scheduler, or mend it";

TEST_F(Controllers_WatchedDecisions, answer_as_without_being_watched) {
  EXPECT_TRUE(policies_.watched());
  for (std::uint64_t id = 0; id < 50; ++id) ask(id, "good");
  const auto answers = settle();
  ASSERT_EQ(answers.size(), 50u);
  for (const auto& [id, text] : answers) EXPECT_EQ(text, "m1 m2");
  EXPECT_EQ(filtered, 50);
}

TEST_F(Controllers_WatchedDecisions, that_hang_fail_with_the_name_of_the_policy_and_others_go_on) {
  ask(1, "stuck");
  for (std::uint64_t id = 2; id < 20; ++id) ask(id, "good");
  auto answers = settle();
  ASSERT_EQ(answers.size(), 19u);
  EXPECT_EQ(answers[1], kGivenUp);
  for (std::uint64_t id = 2; id < 20; ++id) EXPECT_EQ(answers[id], "m1 m2");
  EXPECT_THAT(told_, testing::ElementsAre("stranger"));
  EXPECT_TRUE(policies_.stuck());
  // Twice is too often.
  ask(1, "stuck");
  EXPECT_EQ(settle()[1], kGivenUp);
  EXPECT_THAT(told_, testing::ElementsAre("stranger", "stranger left out"));
  ask(1, "stuck");
  EXPECT_EQ(settle()[1], "m1 m2");
  EXPECT_EQ(policies_.left_out(), 1u);
}

TEST_F(Controllers_WatchedDecisions, that_end_when_they_are_asked_to_are_late_and_not_given_up) {
  listens = true;
  ask(1, "stuck");
  EXPECT_THAT(settle()[1], HasSubstr("ms, at most 60 ms are allowed"));
  EXPECT_FALSE(policies_.stuck());
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(Controllers_WatchedDecisions, that_hang_when_clusters_change_cost_the_policy_its_place) {
  ask(1, "stuck");
  EXPECT_EQ(settle()[1], kGivenUp);
  clusters_ =
      scheduler::table_of({scheduler::cluster("m1"), scheduler::cluster("m2"), scheduler::cluster("m3")});
  ask(1, "good");
  EXPECT_EQ(settle()[1], "m1 m2 m3");
  EXPECT_THAT(told_, testing::ElementsAre("stranger", "stranger left out"));
}

TEST_F(Controllers_WatchedDecisions, go_on_without_a_policy_that_hangs_at_a_table) {
  hangs_at_tables = true;
  ask(1, "good");
  ask(2, "good");
  EXPECT_EQ(settle()[2], "m1 m2");
  EXPECT_EQ(filtered, 0);
  EXPECT_THAT(told_, testing::ElementsAre("stranger left out"));
}

TEST_F(Controllers_WatchedDecisions, use_a_policy_again_that_came_back) {
  ask(1, "stuck");
  EXPECT_EQ(settle()[1], kGivenUp);
  hanging = false;
  while (policies_.stuck()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  clusters_ = scheduler::table_of({scheduler::cluster("m1")});
  ask(1, "stuck");
  EXPECT_EQ(settle()[1], "m1");
  EXPECT_EQ(filtered, 2);
}

TEST_F(Controllers_WatchedDecisions, are_told_what_became_of_them_while_nothing_else_is_called) {
  ask(1, "good");
  settle();
  WatchedDecisions::Report report;
  report.binding = scheduler::parse_binding(
      scheduler::parsed(
          R"({"resource":{"apiVersion":"v1","kind":"ConfigMap","name":"good"},"placement":{}})"),
      api::Json());
  report.table = clusters_;
  report.policies = &policies_;
  report.outcome = scheduler::Outcome::RolledBack;
  decisions_->tell({report, report});
  ask(2, "good");
  EXPECT_EQ(settle()[2], "m1 m2");
  EXPECT_THAT(outcomes, testing::ElementsAre(FLT_OUTCOME_ROLLED_BACK, FLT_OUTCOME_ROLLED_BACK));
}

TEST_F(Controllers_WatchedDecisions, stop_although_one_hangs) {
  ask(1, "stuck");
  ask(2, "stuck");
  const SteadyTime began = clock_.steady_now();
  while (inside == 0 && clock_.steady_now() - began < std::chrono::seconds(5)) {
    decisions_->move_on();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  decisions_->stop();
  EXPECT_TRUE(policies_.stuck());
}

}  // namespace
}  // namespace flotilla::controllers
