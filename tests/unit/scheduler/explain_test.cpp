// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/explain.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

class Scheduler_Explain : public ::testing::Test {
 protected:
  DecisionRecord decide(const std::vector<Json>& clusters, std::string_view placement, int replicas,
                        std::string_view previous = "[]", std::string_view uid = "") {
    const ClusterTablePtr table = table_of(clusters);
    Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},
        "replicaRequirements":{"resourceRequest":{"cpu":"1"}}})");
    spec["resource"].set("uid", uid);
    spec.set("replicas", replicas);
    spec.set("placement", parsed(placement));
    spec.set("clusters", parsed(previous));
    const Json binding = Json::object({{"spec", spec}, {"status", Json::object()}});
    const Attempt tried = attempt(binding, *table, *policies_, {}, workspace_);
    RowNumbers rows;
    names_.clear();
    const NumberOf number = [this](std::string_view name) {
      for (std::size_t i = 0; i < names_.size(); ++i)
        if (names_[i] == name) return static_cast<NameNumber>(i);
      names_.emplace_back(name);
      return static_cast<NameNumber>(names_.size() - 1);
    };
    return describe(tried, *table, *policies_, {}, rows.of(*table, number), number);
  }
  Json selection(const DecisionRecord& record) {
    return explain_selection(record, [this](NameNumber number) { return names_[number]; });
  }
  Json division(const DecisionRecord& record) {
    return explain_division(record, [this](NameNumber number) { return names_[number]; });
  }
  fakes::InTreePolicies policies_;
  Workspace workspace_;
  std::vector<std::string> names_;
};

constexpr const char* kByRoom =
    R"({"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted",
        "weightPreference":{"dynamicWeight":"AvailableReplicas"}}})";

TEST_F(Scheduler_Explain, division_by_room_says_what_is_kept_and_in_proportion_to_what) {
  const auto record = decide({cluster("m1", "", "30"), cluster("m2", "", "10")}, kByRoom, 12,
                             R"([{"name":"m1","replicas":4}])");
  const Json part = division(record).element(0);
  EXPECT_EQ(part["replicas"].as_int(), 8) << part.dump();
  EXPECT_EQ(part["kept"].dump(), R"([{"cluster":"m1","replicas":4}])");
  EXPECT_EQ(part["shares"].element(0)["weight"].as_int(), 30);
  EXPECT_EQ(part["shares"].element(0)["replicas"].as_int() + part["shares"].element(1)["replicas"].as_int(),
            8);
}

TEST_F(Scheduler_Explain, ties_are_told_with_who_won_them) {
  const char* kEqual = R"({"replicaScheduling":{"replicaSchedulingType":"Divided",
      "replicaDivisionPreference":"Weighted"}})";
  for (const char* uid : {"a", "b", "c", "d"}) {
    const auto record = decide({cluster("m1"), cluster("m2")}, kEqual, 3, "[]", uid);
    const Json part = division(record).element(0);
    const bool first = record.targets[0].replicas == 2;
    EXPECT_EQ(part["lastSeat"]["cluster"].as_string(), first ? "m1" : "m2") << part.dump();
    EXPECT_EQ(part["next"]["cluster"].as_string(), first ? "m2" : "m1");
    EXPECT_NE(part["tie"].as_string().find(first ? "first by name" : "last by name"), std::string_view::npos);
  }
}

TEST_F(Scheduler_Explain, scaling_down_and_nothing_to_do) {
  const std::vector<Json> clusters = {cluster("m1"), cluster("m2")};
  const char* kBefore = R"([{"name":"m1","replicas":6},{"name":"m2","replicas":2}])";
  EXPECT_EQ(division(decide(clusters, kByRoom, 4, kBefore)).element(0)["how"].as_string(),
            "fewer, in proportion to what is there");
  EXPECT_EQ(division(decide(clusters, kByRoom, 8, kBefore)).element(0)["how"].as_string(),
            "as it is: nothing has to move");
  EXPECT_EQ(division(decide(clusters, "{}", 8, kBefore)).element(0)["how"].as_string(),
            "all replicas on each");
}

TEST_F(Scheduler_Explain, selection_by_region_shows_what_each_region_was_worth) {
  const auto record = decide({cluster("m1", "eu"), cluster("m2", "us"), cluster("m3", "us"), cluster("m4")},
                             R"({"spreadConstraints":[{"spreadByField":"region","minGroups":1,"maxGroups":1},
          {"spreadByField":"cluster","minGroups":1,"maxGroups":2}]})",
                             2);
  const Json told = selection(record);
  EXPECT_EQ(told["by"].as_string(), "region") << told.dump();
  ASSERT_EQ(told["groups"].size(), 2u);
  EXPECT_EQ(told["groups"].element(0)["name"].as_string(), "us");
  EXPECT_TRUE(told["groups"].element(0)["chosen"].as_bool());
  EXPECT_GT(told["groups"].element(0)["score"].as_int(), told["groups"].element(1)["score"].as_int());
  EXPECT_FALSE(told["groups"].element(1)["chosen"].as_bool());
  EXPECT_EQ(told["selected"].size(), 2u);
  EXPECT_EQ(told["passedOver"].size(), told["groups"].element(1)["clusters"].as_int() + 0u);
}

TEST_F(Scheduler_Explain, selection_by_cluster_names_those_passed_over) {
  const auto record =
      decide({cluster("m1", "", "1"), cluster("m2", "", "9"), cluster("m3", "", "5")},
             R"({"spreadConstraints":[{"spreadByField":"cluster","minGroups":1,"maxGroups":2}]})", 1);
  const Json told = selection(record);
  EXPECT_EQ(told["selected"].dump(), R"(["m2","m3"])");
  EXPECT_EQ(told["passedOver"].dump(), R"(["m1"])");
  EXPECT_TRUE(selection(decide({cluster("m1")}, "{}", 1)).is_null());
}

}  // namespace
}  // namespace flotilla::scheduler
