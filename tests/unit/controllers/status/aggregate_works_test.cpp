// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/status/aggregate_works.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace flotilla::controllers {
namespace {

using api::Json;

const Json& binding() {
  static const Json kBinding = *Json::parse(R"({"kind":"ResourceBinding","metadata":{"namespace":"default",
    "labels":{"resourcebinding.karmada.io/permanent-id":"b1"}},"spec":{
    "resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"default","name":"x"},
    "clusters":[{"name":"a"},{"name":"b"}]}})");
  return kBinding;
}

Json work(std::string_view cluster, std::string_view applied, std::string_view id = "b1") {
  Json object = *Json::parse(R"({"metadata":{"name":"w"},"spec":{"workload":{"manifests":[
    {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x","namespace":"default"}}]}},"status":{
    "conditions":[{"type":"Applied","message":"m"}],"manifestStatuses":[{"identifier":{"ordinal":0,"group":"apps",
    "version":"v1","kind":"Deployment","namespace":"default","name":"x"},"status":{"replicas":1},"health":"Healthy"}]}})");
  object["metadata"].set("namespace", "karmada-es-" + std::string(cluster));
  object.make({"metadata", "labels", "resourcebinding.karmada.io/permanent-id"}) = id;
  object.make({"status", "conditions"}).elements()[0].set("status", applied);
  return object;
}

Result<Json> aggregate(std::vector<Json> works) {
  std::vector<const Json*> pointers;
  for (const Json& each : works) pointers.push_back(&each);
  return aggregate_works(binding(), pointers);
}

TEST(Controllers_AggregateWorks, applied_works_bring_their_status_in_the_order_of_clusters) {
  const Json items = *aggregate({work("b", "True"), work("a", "True")});
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items.element(0)["clusterName"].as_string(), "a");
  EXPECT_EQ(items.element(0)["health"].as_string(), "Healthy");
  EXPECT_EQ(items.element(1).at({"status", "replicas"}).as_int(), 1);
}

TEST(Controllers_AggregateWorks, what_a_silent_cluster_last_said_is_shown_but_is_not_healthy) {
  const Json a = work("a", "True");
  const Json b = work("b", "True");
  const std::vector<const Json*> works = {&a, &b};
  const Json items =
      *aggregate_works(binding(), works, [](const std::string& cluster) { return cluster == "a"; });
  EXPECT_EQ(items.element(0)["health"].as_string(), "Healthy");
  EXPECT_EQ(items.element(1)["health"].as_string(), "Unknown");
  EXPECT_TRUE(items.element(1)["applied"].as_bool());
  EXPECT_EQ(items.element(1).at({"status", "replicas"}).as_int(), 1);
}

TEST(Controllers_AggregateWorks, a_work_that_was_not_applied_says_why) {
  const Json items = *aggregate({work("a", "False")});
  EXPECT_EQ(items.element(0)["appliedMessage"].as_string(), "m");
  EXPECT_EQ(items.element(0)["health"].as_string(), "Unknown");
  EXPECT_FALSE(items.element(0).contains("status"));
}

TEST(Controllers_AggregateWorks, works_of_another_binding_and_deleting_ones_do_not_count) {
  Json deleting = work("a", "True");
  deleting.make({"metadata", "deletionTimestamp"}) = "2024-01-01T00:00:00Z";
  EXPECT_EQ(aggregate({work("a", "True", "b2"), deleting})->size(), 0u);
}

TEST(Controllers_AggregateWorks, a_work_without_the_resource_is_an_error) {
  Json other = work("a", "True");
  other.make({"spec", "workload", "manifests"}).elements()[0].make({"metadata", "name"}) = "y";
  EXPECT_EQ(aggregate({other}).error().message(), "no such manifest exist");
}

TEST(Controllers_AggregateWorks, fully_applied_means_every_target_and_no_other) {
  const auto is_full = [](std::vector<Json> works) {
    const Json status = binding_status(binding(), *aggregate(std::move(works)), WallTime{});
    return status["conditions"].element(0)["status"].as_string() == "True";
  };
  EXPECT_TRUE(is_full({work("a", "True"), work("b", "True")}));
  EXPECT_FALSE(is_full({work("a", "True")}));
  EXPECT_FALSE(is_full({work("a", "True"), work("b", "False")}));
  EXPECT_FALSE(is_full({work("a", "True"), work("c", "True")}));
}

}  // namespace
}  // namespace flotilla::controllers
