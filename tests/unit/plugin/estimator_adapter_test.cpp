// SPDX-License-Identifier: Apache-2.0
// Estimators through the ABI: what they say, and what becomes of those that say garbage, nothing, or too
// late.
#include "core/plugin/estimator_adapter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <flotilla/sdk/estimator.hpp>

#include <thread>

#include "tests/fakes/fibers.hpp"

namespace flotilla::plugin {
namespace {

using cluster::ClusterAnswer;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

enum class Wrong { Nothing, Fewer, Negative, Throws, Never, Fails };
Wrong wrong = Wrong::Nothing;
std::string seen;

class Warehouse {
 public:
  static constexpr sdk::EstimatorInfo kInfo = {.name = "warehouse", .summary = "For tests"};
  Warehouse(const flt_host_t*, std::string_view) {}

  void max_available_replicas(const sdk::RoomRequest& request, sdk::Call& call) {
    if (wrong == Wrong::Throws) throw std::runtime_error("out of order");
    if (wrong == Wrong::Fails) return call.fail(FLT_UNAVAILABLE, "closed");
    if (wrong == Wrong::Never) {
      kept_ = std::make_unique<sdk::Call>(std::move(call));
      return;
    }
    seen = std::string(request.ns()) + " " + std::string(request.requirements_json()) + " " +
           std::string(request.object());
    std::vector<sdk::Estimate> estimates;
    for (std::size_t i = 0; i < request.size(); ++i) {
      seen += " " + std::string(request.cluster(i)) + std::string(request.assumed_json(i));
      estimates.push_back({.value = wrong == Wrong::Negative ? -2 : static_cast<std::int64_t>(i)});
    }
    if (wrong == Wrong::Fewer) estimates.pop_back();
    if (request.cluster(0) == "broken") estimates[0] = {.status = FLT_INTERNAL, .message = "no nodes"};
    if (request.cluster(0) == "late") estimates[0] = {.status = FLT_DEADLINE_EXCEEDED};
    sdk::succeed_with_estimates(call, estimates);
  }

 private:
  std::unique_ptr<sdk::Call> kept_;
};

class Plugin_Estimator : public testing::Test {
 protected:
  Plugin_Estimator() {
    wrong = Wrong::Nothing;
    EstimatorLimits limits;
    limits.grace = 10ms;
    limits.budget.faults = 3;
    auto instance = Instance::create(environment_, sdk::estimator_component<Warehouse>, {});
    EXPECT_TRUE(instance.ok());
    estimator_ = *adapt_estimator(*instance, limits);
  }
  ~Plugin_Estimator() override {
    estimator_.reset();
    executor_.stop();
  }
  Result<std::vector<ClusterAnswer>> ask(std::vector<cluster::AskedCluster> clusters,
                                         Duration timeout = 10s) {
    cluster::RoomQuestion question;
    question.ns = "shop";
    question.requirements = "{}";
    question.object = "web";
    return fakes::run_on(executor_, estimator_->room(question, std::move(clusters), timeout));
  }

  SystemClock clock_;
  Executor executor_{clock_};
  HostEnvironment environment_{executor_, "test"};
  std::shared_ptr<cluster::ReplicaEstimator> estimator_;
};

TEST_F(Plugin_Estimator, is_asked_and_heard) {
  EXPECT_EQ(estimator_->name(), "warehouse");
  EXPECT_FALSE(estimator_->estimates_sets());
  EXPECT_FALSE(estimator_->counts_unschedulable());
  const auto answers = ask({{"m1"}, {"m2", "[x]"}});
  ASSERT_TRUE(answers.ok());
  EXPECT_EQ((*answers)[1].value, 1);
  EXPECT_EQ(seen, "shop {} web m1 m2[x]");
  EXPECT_EQ((*ask({{"broken"}, {"m2"}}))[0].failure, "no nodes");
  EXPECT_EQ((*ask({{"late"}, {"m2"}}))[0].failure, "no answer in time");
  EXPECT_EQ((*ask({{"late"}, {"m2"}}))[1].value, 1);
}

TEST_F(Plugin_Estimator, knows_nothing_where_it_has_no_operation) {
  cluster::RoomQuestion question;
  question.components = "[]";
  const auto sets = fakes::run_on(executor_, estimator_->room(question, {{"m1"}}, 10s));
  EXPECT_EQ((*sets)[0].value, -1);
  EXPECT_EQ((*sets)[0].failure, "");
  EXPECT_EQ((*fakes::run_on(executor_, estimator_->unschedulable({}, {"m1"}, 10s)))[0].value, -1);
}

TEST_F(Plugin_Estimator, garbage_is_never_used) {
  wrong = Wrong::Fewer;
  EXPECT_THAT(ask({{"m1"}, {"m2"}}).error().message(), HasSubstr("answered about 1 of 2 clusters"));
  wrong = Wrong::Negative;
  EXPECT_THAT(ask({{"m1"}}).error().message(), HasSubstr("fewer than no replicas"));
}

TEST_F(Plugin_Estimator, rests_after_too_many_faults) {
  wrong = Wrong::Throws;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask({{"m1"}}).error().message(), "out of order");
  wrong = Wrong::Nothing;
  EXPECT_THAT(ask({{"m1"}}).error().message(), HasSubstr("rests after too many faults"));
}

TEST_F(Plugin_Estimator, one_that_never_answers_holds_nobody_up) {
  wrong = Wrong::Never;
  EXPECT_TRUE(ask({{"m1"}}, 20ms).error().is(Code::Timeout));
}

TEST_F(Plugin_Estimator, may_fail_as_a_whole) {
  wrong = Wrong::Fails;
  EXPECT_EQ(ask({{"m1"}}).error().message(), "closed");
}

TEST_F(Plugin_Estimator, is_nothing_else) {
  flt_component_t other = sdk::estimator_component<Warehouse>;
  other.kind = FLT_KIND_SCHEDULER;
  auto instance = Instance::create(environment_, other, {});
  ASSERT_TRUE(instance.ok());
  EXPECT_FALSE(adapt_estimator(*instance).ok());
}

}  // namespace
}  // namespace flotilla::plugin
