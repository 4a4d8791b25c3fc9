// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/estimators.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/fakes/fibers.hpp"

namespace flotilla::controllers {
namespace {

using cluster::AskedCluster;
using cluster::ClusterAnswer;
using Sheet = std::shared_ptr<scheduler::EstimateSheet>;

// Says what it is told to say, once it is let.
class Scripted final : public cluster::ReplicaEstimator {
 public:
  std::string name() const override { return "scripted"; }
  bool estimates_sets() const override { return true; }
  bool counts_unschedulable() const override { return true; }

  Task<Result<std::vector<ClusterAnswer>>> room(cluster::RoomQuestion question,
                                                std::vector<AskedCluster> clusters, Duration) override {
    ++calls;
    std::string line = question.of_sets() ? "sets" : "replicas";
    for (const AskedCluster& each : clusters)
      line += " " + each.name + (each.assumed.empty() ? "" : "+" + each.assumed);
    {
      std::lock_guard lock(mutex);
      asked.push_back(line);
    }
    for (;;) {
      const std::uint64_t seen = moved.version();
      if (open) break;
      auto waiting = moved.wait_past(seen);
      co_await std::move(waiting);
    }
    co_return answer(clusters);
  }
  Task<Result<std::vector<ClusterAnswer>>> unschedulable(cluster::UnschedulableQuestion,
                                                         std::vector<std::string> clusters,
                                                         Duration) override {
    std::vector<AskedCluster> all;
    for (const std::string& each : clusters) all.push_back({each});
    co_return answer(all);
  }
  Result<std::vector<ClusterAnswer>> answer(const std::vector<AskedCluster>& clusters) {
    std::lock_guard lock(mutex);
    if (broken) return Error(Code::Unavailable, "broken");
    std::vector<ClusterAnswer> answers;
    for (const AskedCluster& each : clusters) answers.push_back(says[each.name]);
    return answers;
  }
  void let(bool on) {
    open = on;
    moved.notify();
  }

  std::atomic<int> calls = 0;
  std::atomic<bool> open = true;
  flotilla::Event moved;
  std::mutex mutex;
  bool broken = false;
  std::map<std::string, ClusterAnswer> says;
  std::vector<std::string> asked;
};

class Controllers_Estimators : public testing::Test {
 protected:
  ~Controllers_Estimators() override { estimators_.stop(); }

  Sheet wanting(const std::vector<std::string>& clusters) {
    auto sheet = std::make_shared<scheduler::EstimateSheet>(1);
    for (const std::string& each : clusters) sheet->want(0, each, false);
    return sheet;
  }
  std::future<void> begin(const Sheet& sheet, const std::string& requirements = "r",
                          Estimators::Assumed assumed = {}) {
    auto done = std::make_shared<std::promise<void>>();
    cluster::RoomQuestion question;
    question.requirements = requirements;
    EXPECT_TRUE(
        estimators_.fill(sheet, requirements, question, std::move(assumed), [done] { done->set_value(); }));
    return done->get_future();
  }
  // What is on the sheet of one cluster afterwards.
  scheduler::AskedAnswer ask(const std::string& cluster, const std::string& requirements = "r") {
    const Sheet sheet = wanting({cluster});
    begin(sheet, requirements).get();
    EXPECT_FALSE(sheet->lacks());
    return *sheet->find(0, cluster);
  }
  static EstimatorRules rules() {
    EstimatorRules rules;
    rules.keep = std::chrono::seconds(10);
    return rules;
  }

  ManualClock clock_{*parse_time("2026-05-01T12:00:00Z")};
  Executor executor_{clock_};
  std::shared_ptr<Scripted> scripted_ = std::make_shared<Scripted>();
  Estimators estimators_{executor_, {scripted_}, rules()};
};

TEST_F(Controllers_Estimators, fills_a_sheet_with_what_is_said) {
  scripted_->says = {{"m1", {3, {}}}, {"m2", {-1, {}}}, {"m3", {-1, "no nodes"}}};
  const Sheet sheet = wanting({"m1", "m2", "m3"});
  begin(sheet).get();
  EXPECT_FALSE(sheet->lacks());
  EXPECT_EQ(sheet->find(0, "m1")->replicas, 3);
  EXPECT_EQ(sheet->find(0, "m2")->replicas, -1);
  EXPECT_EQ(sheet->find(0, "m2")->failure, "");
  EXPECT_EQ(sheet->find(0, "m3")->failure, "no nodes");
  EXPECT_EQ(scripted_->asked, std::vector<std::string>{"replicas m1 m2 m3"});
}

TEST_F(Controllers_Estimators, keeps_answers_to_the_same_question_for_a_while) {
  scripted_->says = {{"m1", {3, {}}}};
  ask("m1");
  scripted_->says = {{"m1", {2, {}}}};
  EXPECT_EQ(ask("m1").replicas, 3);
  EXPECT_EQ(ask("m1", "another").replicas, 2);
  clock_.advance(std::chrono::seconds(11));
  EXPECT_EQ(ask("m1").replicas, 2);
  EXPECT_EQ(scripted_->calls, 3);
}

TEST_F(Controllers_Estimators, asks_again_once_a_cluster_has_changed) {
  scripted_->says = {{"m1", {3, {}}}, {"m2", {5, {}}}};
  ask("m1");
  ask("m2");
  estimators_.outdated("m1");
  scripted_->says = {{"m1", {2, {}}}, {"m2", {4, {}}}};
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(ask("m1").replicas, 2);
  EXPECT_EQ(ask("m2").replicas, 5);
}

TEST_F(Controllers_Estimators, does_not_keep_what_was_outdated_before_it_came) {
  scripted_->says = {{"m1", {3, {}}}};
  scripted_->let(false);
  const Sheet sheet = wanting({"m1"});
  auto first = begin(sheet);
  while (scripted_->calls == 0) std::this_thread::yield();
  estimators_.outdated("m1");
  scripted_->let(true);
  first.get();
  EXPECT_EQ(sheet->find(0, "m1")->replicas, 3);
  clock_.advance(std::chrono::milliseconds(1));
  ask("m1");
  EXPECT_EQ(scripted_->calls, 2);
}

TEST_F(Controllers_Estimators, asks_equal_questions_once) {
  scripted_->says = {{"m1", {3, {}}}, {"m2", {4, {}}}};
  scripted_->let(false);
  const Sheet first = wanting({"m1"}), second = wanting({"m1", "m2"});
  auto one = begin(first), two = begin(second);
  while (scripted_->calls < 2) std::this_thread::yield();
  scripted_->let(true);
  one.get();
  two.get();
  EXPECT_EQ(second->find(0, "m1")->replicas, 3);
  EXPECT_EQ(second->find(0, "m2")->replicas, 4);
  EXPECT_EQ(scripted_->asked, (std::vector<std::string>{"replicas m1", "replicas m2"}));
}

TEST_F(Controllers_Estimators, lets_a_cluster_rest_longer_with_each_failure) {
  scripted_->says = {{"m1", {-1, "late"}}};
  EXPECT_EQ(ask("m1").failure, "late");
  EXPECT_EQ(ask("m1", "another").failure, "late");
  EXPECT_EQ(scripted_->calls, 1);
  clock_.advance(std::chrono::milliseconds(1100));
  ask("m1");
  clock_.advance(std::chrono::milliseconds(1100));
  ask("m1");
  EXPECT_EQ(scripted_->calls, 2);
  clock_.advance(std::chrono::seconds(1));
  scripted_->says = {{"m1", {7, {}}}};
  EXPECT_EQ(ask("m1").replicas, 7);
}

TEST_F(Controllers_Estimators, takes_the_failure_of_an_estimator_for_all_it_was_asked) {
  scripted_->broken = true;
  const Sheet sheet = wanting({"m1", "m2"});
  begin(sheet).get();
  EXPECT_EQ(sheet->find(0, "m1")->failure, "broken");
  EXPECT_EQ(sheet->find(0, "m2")->failure, "broken");
}

TEST_F(Controllers_Estimators, tells_what_is_promised_and_tells_answers_apart_by_it) {
  scripted_->says = {{"m1", {3, {}}}};
  ask("m1");
  begin(wanting({"m1"}), "r", {{"m1", "[a]"}}).get();
  EXPECT_EQ(scripted_->asked, (std::vector<std::string>{"replicas m1", "replicas m1+[a]"}));
}

TEST_F(Controllers_Estimators, remembers_the_last_answer_for_those_who_only_wonder) {
  scripted_->says = {{"m1", {3, {}}}};
  ask("m1");
  estimators_.outdated("m1");
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(estimators_.remembered(0, "r", "m1"), 3);
  EXPECT_EQ(estimators_.remembered(0, "r", "m2"), -1);
  EXPECT_EQ(estimators_.remembered(0, "another", "m1"), -1);
  EXPECT_EQ(scripted_->calls, 1);
}

TEST_F(Controllers_Estimators, counts_replicas_that_wait_in_vain) {
  scripted_->says = {{"m1", {3, {}}}, {"m2", {-1, {}}}, {"m3", {-1, "broken"}}};
  EXPECT_TRUE(estimators_.counts_unschedulable());
  const auto counted = fakes::run_on(executor_, estimators_.unschedulable({}, {"m1", "m2", "m3"}));
  EXPECT_EQ(counted, (std::map<std::string, std::int64_t>{{"m1", 3}}));
}

}  // namespace
}  // namespace flotilla::controllers
