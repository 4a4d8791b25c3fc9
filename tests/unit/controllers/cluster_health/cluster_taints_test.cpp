// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cluster_health/cluster_taints.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

api::Json json(std::string_view text) {
  return *api::Json::parse(text);
}

WallTime noon() {
  return *parse_time("2026-05-01T12:00:00Z");
}

api::Json cluster(std::string_view ready, std::string_view taints = "[]") {
  api::Json value = json(R"({"metadata": {"name": "m1"}})");
  value.make({"spec", "taints"}) = json(taints);
  if (!ready.empty()) {
    value.make({"status", "conditions"}) =
        api::Json::array({api::Json::object({{"type", "Ready"}, {"status", ready}})});
  }
  return value;
}

constexpr std::string_view kUnreachable =
    R"([{"key": "cluster.karmada.io/unreachable", "effect": "NoSchedule"}])";

TEST(ClusterHealth_Taints, follow_the_ready_condition) {
  EXPECT_EQ(taints_by_condition(cluster("Unknown"), noon()),
            json(R"([{"key": "cluster.karmada.io/unreachable", "effect": "NoSchedule",
                      "timeAdded": "2026-05-01T12:00:00Z"}])"));
  EXPECT_TRUE(taints_by_condition(cluster("True", kUnreachable), noon()).empty());
  EXPECT_EQ(taints_by_condition(cluster("False", kUnreachable), noon()).element(0)["key"].as_string(),
            kTaintNotReady);
}

TEST(ClusterHealth_Taints, keep_unreachable_while_nothing_is_known) {
  EXPECT_EQ(taints_by_condition(cluster("", kUnreachable), noon()).size(), 2u);
}

TEST(ClusterHealth_Taints, are_added_and_removed_by_policies_in_order) {
  auto policies = json(R"([
    {"spec": {"taints": [{"key": "a", "value": "1", "effect": "NoSchedule"}],
              "addOnConditions": [{"conditionType": "Ready", "operator": "NotIn", "statusValues": ["True"]}]}},
    {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}],
              "removeOnConditions": [{"conditionType": "Ready", "operator": "In", "statusValues": ["False"]}]}}])");
  EXPECT_EQ(taints_by_policies(cluster("Unknown"), policies.elements(), noon()).size(), 1u);
  EXPECT_EQ(taints_by_policies(cluster("False"), policies.elements(), noon()).size(), 0u);
  EXPECT_EQ(taints_by_policies(cluster(""), policies.elements(), noon()).size(), 0u);
}

TEST(ClusterHealth_Remedies, are_the_sorted_actions_of_those_whose_conditions_hold) {
  auto remedies = json(R"([
    {"spec": {"actions": ["TrafficControl"], "decisionMatches": [
       {"clusterConditionMatch": {"conditionType": "Ready", "operator": "NotEqual", "conditionStatus": "True"}}]}},
    {"spec": {"actions": ["Alert"]}},
    {"spec": {"actions": ["Never"], "decisionMatches": []}},
    {"spec": {"actions": ["Elsewhere"], "clusterAffinity": {"clusterNames": ["m2"]}}}])");
  EXPECT_EQ(remedy_actions(cluster("False"), remedies.elements()), json(R"(["Alert", "TrafficControl"])"));
  EXPECT_EQ(remedy_actions(cluster(""), remedies.elements()), json(R"(["Alert"])"));
}

}  // namespace
}  // namespace flotilla::controllers
