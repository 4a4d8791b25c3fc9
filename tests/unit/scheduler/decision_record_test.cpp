// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/decision_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;
using ::testing::ElementsAre;

class Scheduler_DecisionRecord : public ::testing::Test {
 protected:
  static Json binding_of(std::string_view placement, int replicas = 4) {
    Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"d",
        "name":"web","uid":"0f0d1f60-8a5c-4b5e-9c53-0d1f5d2a7b11"},
        "replicaRequirements":{"resourceRequest":{"cpu":"100m"}},"clusters":[{"name":"m1","replicas":1}]})");
    spec["replicas"] = replicas;
    spec["placement"] = parsed(placement);
    return Json::object({{"spec", spec}, {"status", Json::object()}});
  }
  DecisionRecord record_of(const ClusterTable& table, const Json& binding) {
    const Attempt tried = attempt(binding, table, *policies_, {}, workspace_);
    const NumberOf number = [this](std::string_view name) { return number_of(name); };
    return describe(tried, table, *policies_, {}, rows_.of(table, number), number);
  }
  NameNumber number_of(std::string_view name) {
    const auto [it, fresh] = numbers_.try_emplace(std::string(name), numbers_.size());
    if (fresh) names_.emplace_back(name);
    return static_cast<NameNumber>(it->second);
  }
  // What it becomes by way of storage.
  static DecisionRecord kept(const DecisionRecord& record) {
    const auto read = decode(encode(record));
    EXPECT_TRUE(read.ok()) << (read ? "" : read.error().message());
    return read ? *read : DecisionRecord();
  }

  fakes::InTreePolicies policies_;
  Workspace workspace_;
  RowNumbers rows_;
  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> names_;
};

constexpr const char* kDynamic =
    R"({"clusterAffinity":{"exclude":["m4"]},"replicaScheduling":{"replicaSchedulingType":"Divided",
        "replicaDivisionPreference":"Weighted","weightPreference":{"dynamicWeight":"AvailableReplicas"}}})";

TEST_F(Scheduler_DecisionRecord, says_what_was_asked_found_and_decided) {
  const ClusterTablePtr table =
      table_of({cluster("m1", "", "2"), cluster("m2", "", "1"), cluster("m3"), cluster("m4")});
  DecisionRecord record = record_of(*table, binding_of(kDynamic, 40));
  record.number = 3;
  record.time = 1760000000123;
  record.trigger = "replicas changed";
  record.binding_revision = 77;
  record.nanoseconds = {1, 2, 3, 4, 5};
  const DecisionRecord read = kept(record);
  EXPECT_EQ(read.number, 3);
  EXPECT_EQ(read.time, 1760000000123);
  EXPECT_EQ(read.trigger, "replicas changed");
  EXPECT_EQ(read.binding_revision, 77);
  EXPECT_EQ(read.uid, "0f0d1f60-8a5c-4b5e-9c53-0d1f5d2a7b11");
  EXPECT_EQ(read.requests, "cpu=100m");
  EXPECT_TRUE(read.divisible);
  EXPECT_EQ(read.replicas, 40);
  EXPECT_EQ(read.previous, record.previous);
  EXPECT_EQ(names_[read.previous.at(0).cluster], "m1");
  EXPECT_THAT(read.verdicts, ElementsAre(0, 0, 0, 1));
  ASSERT_EQ(read.reasons.size(), 1u);
  EXPECT_EQ(read.reasons[0].text, "cluster(s) did not match the placement cluster affinity constraint");
  EXPECT_EQ(names_[read.policies[static_cast<std::size_t>(read.reasons[0].policy)]], "cluster_affinity");
  EXPECT_THAT(read.room, ElementsAre(20, 10, 1000));
  EXPECT_THAT(read.available, ElementsAre(21, 10, 1000));
  EXPECT_EQ(read.by_estimator, record.by_estimator);
  EXPECT_EQ(read.by_policy, record.by_policy);
  EXPECT_THAT(read.selected, ElementsAre(0, 1, 2));
  EXPECT_EQ(read.targets, record.targets);
  EXPECT_THAT(read.nanoseconds, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_TRUE(read.ok());
}

TEST_F(Scheduler_DecisionRecord, keeps_terms_that_failed_and_clusters_that_are_removed) {
  Json deleting = cluster("m2");
  deleting.make({"metadata", "deletionTimestamp"}) = "2026-01-01T00:00:00Z";
  const ClusterTablePtr table = table_of({cluster("m1"), deleting});
  const DecisionRecord read = kept(record_of(*table, binding_of(R"({"clusterAffinities":[
      {"affinityName":"a","clusterNames":["x"]},{"affinityName":"b","clusterNames":["y"]}]})")));
  EXPECT_FALSE(read.ok());
  EXPECT_EQ(read.affinity, "b");
  ASSERT_EQ(read.failures.size(), 2u);
  EXPECT_EQ(read.failures[0].kind, FailureKind::NoClusterFit);
  EXPECT_EQ(read.reasons.back().text, "the cluster is being removed");
  EXPECT_EQ(read.reasons.back().policy, -1);
  EXPECT_THAT(read.verdicts, ElementsAre(1, 2));
}

TEST_F(Scheduler_DecisionRecord, keeps_regions_weights_and_the_order_of_selection) {
  const ClusterTablePtr table =
      table_of({cluster("m1", "eu"), cluster("m2", "us", "50"), cluster("m3", "us"), cluster("m4")});
  const DecisionRecord spread = kept(record_of(*table, binding_of(R"({"spreadConstraints":[
      {"spreadByField":"region","minGroups":1,"maxGroups":1},
      {"spreadByField":"cluster","minGroups":1,"maxGroups":1}]})")));
  EXPECT_THAT(spread.regions, ElementsAre("eu", "us"));
  EXPECT_EQ(spread.selected.size(), 1u);
  EXPECT_EQ(spread.targets.size(), 1u);
  const DecisionRecord weighed = kept(record_of(*table, binding_of(R"({"replicaScheduling":{
      "replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{
      "staticWeightList":[{"targetCluster":{"clusterNames":["m2"]},"weight":3}]}}})")));
  EXPECT_THAT(weighed.weights, ElementsAre(0, 3, 0, 0));
}

TEST_F(Scheduler_DecisionRecord, of_nonsense_is_refused) {
  const ClusterTablePtr table = table_of({cluster("m1", "eu"), cluster("m2", "us"), cluster("m3")});
  const std::string bytes = encode(record_of(*table, binding_of(kDynamic)));
  std::mt19937 random(5);
  for (int round = 0; round < 5000; ++round) {
    std::string broken = bytes;
    for (int i = 0; i < 2; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    broken.resize(random() % 4 == 0 ? random() % broken.size() : broken.size());
    const auto read = decode(broken);  // must neither crash nor hang
    if (read) EXPECT_EQ(read->room.size(), read->candidates());
  }
  EXPECT_FALSE(decode("").ok());
  EXPECT_FALSE(decode(bytes.substr(0, bytes.size() - 1)).ok());
}

// The sizes that docs/design/decision-record.md names; every cluster has another amount of room.
TEST_F(Scheduler_DecisionRecord, is_small) {
  for (const auto& [count, most] : {std::pair{100, 800}, {1'000, 2'500}, {5'000, 11'000}}) {
    std::vector<Json> clusters;
    std::mt19937 random(static_cast<unsigned>(count));
    for (int i = 0; i < count; ++i) {
      std::string name = "member" + std::to_string(10'000 + i);
      Json one = cluster(name, "r" + std::to_string(i % 5), std::to_string(random() % 1'000));
      if (i % 10 == 0)
        one.make({"spec", "taints"}) = parsed(R"([{"key":"gpu","value":"a","effect":"NoSchedule"}])");
      clusters.push_back(std::move(one));
    }
    const ClusterTablePtr table = table_of(clusters);
    rows_ = {};
    const std::size_t dynamic = encode(record_of(*table, binding_of(kDynamic, 100))).size();
    const std::size_t duplicated = encode(record_of(*table, binding_of("{}", 1))).size();
    RecordProperty("bytes_dynamic_" + std::to_string(count), static_cast<int>(dynamic));
    RecordProperty("bytes_duplicated_" + std::to_string(count), static_cast<int>(duplicated));
    std::printf("%d clusters: divided by room %zu bytes, duplicated %zu bytes\n", count, dynamic, duplicated);
    EXPECT_LE(dynamic, static_cast<std::size_t>(most));
    EXPECT_LE(duplicated, static_cast<std::size_t>(most));
  }
}

}  // namespace
}  // namespace flotilla::scheduler
