// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/asked_estimates.hpp"

#include <gtest/gtest.h>

#include "core/scheduler/decision_record.hpp"
#include "core/scheduler/schedule.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;
using Names = std::set<std::string, std::less<>>;

constexpr std::string_view kByRoom = R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment"},"replicas":6,
    "placement":{"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted",
    "weightPreference":{"dynamicWeight":"AvailableReplicas"}}}})";

class Scheduler_AskedEstimates : public testing::Test {
 protected:
  Scheduler_AskedEstimates() {
    (*policies_).add(std::make_unique<AskedEstimator>("warehouse", 0));
    binding_ = parse_binding(parsed(kByRoom), Json());
    binding_.estimates = sheet_;
  }
  Decision decide() { return schedule(*table_, binding_, *policies_, {}); }

  fakes::InTreePolicies policies_;
  ClusterTablePtr table_ = table_of({cluster("m1"), cluster("m2"), cluster("m3")});
  Binding binding_;
  std::shared_ptr<EstimateSheet> sheet_ = std::make_shared<EstimateSheet>(1);
};

TEST_F(Scheduler_AskedEstimates, writes_down_what_a_decision_lacks) {
  ASSERT_TRUE(decide().ok());
  EXPECT_TRUE(sheet_->lacks());
  EXPECT_EQ(sheet_->wanted(0), (Names{"m1", "m2", "m3"}));
  EXPECT_FALSE(sheet_->whole_sets());
}

TEST_F(Scheduler_AskedEstimates, divides_by_the_least_that_is_known) {
  sheet_->put(0, "m1", {2, {}});
  sheet_->put(0, "m2", {4, {}});
  sheet_->put(0, "m3", {0, {}});
  const Decision decision = decide();
  ASSERT_TRUE(decision.ok());
  EXPECT_FALSE(sheet_->lacks());
  EXPECT_EQ(decision.targets, (std::vector<Target>{{0, 2}, {1, 4}}));
}

TEST_F(Scheduler_AskedEstimates, leaves_out_who_failed_and_says_so_in_the_record) {
  sheet_->put(0, "m1", {3, {}});
  sheet_->put(0, "m2", {kUnknownEstimate, {}});  // does not know, which is no failure
  sheet_->put(0, "m3", {kUnknownEstimate, "no answer in time"});
  const Decision decision = decide();
  ASSERT_TRUE(decision.ok());
  const EstimateColumn& column = decision.record.estimates.back();
  EXPECT_FALSE(column.failed);
  EXPECT_EQ(column.replicas, (std::vector<std::int32_t>{3, -1, -1}));
  EXPECT_EQ(column.remark, "left out for 1 of 3 clusters: m3: no answer in time");
  EXPECT_EQ(decision.record.candidates.size(), 3u);
}

TEST_F(Scheduler_AskedEstimates, remarks_survive_being_stored) {
  sheet_->put(0, "m1", {kUnknownEstimate, "gone"});
  Attempt attempt;
  attempt.decision = decide();
  attempt.binding = binding_;
  const auto number = [](std::string_view) { return NameNumber{1}; };
  DecisionRecord record = describe(attempt, *table_, *policies_, {}, {0, 1, 2}, number);
  ASSERT_FALSE(record.by_estimator.empty());
  EXPECT_EQ(record.by_estimator.back().remark, "left out for 1 of 3 clusters: m1: gone");
  EXPECT_EQ(decode(encode(record))->by_estimator, record.by_estimator);
  // Without remarks a record is as short as ever.
  const std::size_t length = encode(record).size();
  record.by_estimator.back().remark.clear();
  EXPECT_LT(encode(record).size(), length - 20);
  EXPECT_EQ(decode(encode(record))->by_estimator, record.by_estimator);
}

TEST_F(Scheduler_AskedEstimates, knows_nothing_without_a_sheet) {
  binding_.estimates = nullptr;
  const Decision decision = decide();
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision.targets.size(), 3u);
}

TEST(Scheduler_EstimateSheet, forgets_answers_that_are_no_longer_true) {
  EstimateSheet sheet(2);
  sheet.put(0, "m1", {1, {}});
  sheet.put(1, "m1", {2, {}});
  sheet.put(1, "m2", {3, {}});
  EXPECT_TRUE(sheet.forget({"m1", "m9"}));
  EXPECT_EQ(sheet.find(0, "m1"), nullptr);
  EXPECT_EQ(sheet.find(1, "m2")->replicas, 3);
  EXPECT_FALSE(sheet.forget({"m1"}));
}

TEST(Scheduler_RoomMatters, where_replicas_are_divided_by_it_or_clusters_chosen) {
  const auto matters = [](std::string_view replicas, std::string_view placement, bool sets = false) {
    Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment"}})");
    spec.apply_merge_patch(parsed(replicas));
    spec.set("placement", parsed(placement));
    return room_matters(parse_binding(spec, Json()), sets);
  };
  constexpr std::string_view kTwo = R"({"replicas":2})";
  EXPECT_FALSE(matters(kTwo, "{}"));
  EXPECT_FALSE(matters(kTwo, R"({"replicaScheduling":{"replicaSchedulingType":"Duplicated"}})"));
  EXPECT_FALSE(matters(kTwo, R"({"replicaScheduling":{"replicaSchedulingType":"Divided",
      "replicaDivisionPreference":"Weighted"}})"));
  constexpr std::string_view kPacked =
      R"({"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"}})";
  EXPECT_TRUE(matters(kTwo, kPacked));
  EXPECT_FALSE(matters(R"({"replicas":0})", kPacked));
  EXPECT_TRUE(matters(kTwo, R"({"spreadConstraints":[{"spreadByField":"cluster","minGroups":1,"maxGroups":1}],
      "replicaScheduling":{"replicaSchedulingType":"Duplicated"}})"));
  constexpr std::string_view kSet = R"({"components":[{"name":"a","replicas":1}]})";
  EXPECT_TRUE(matters(kSet, "{}", true));
  EXPECT_FALSE(matters(kSet, "{}"));
}

}  // namespace
}  // namespace flotilla::scheduler
