// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/remedy/remedy_plan.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;

Json json(std::string_view text) {
  return *Json::parse(text);
}

const Json kCluster = json(R"({"metadata": {"name": "m1"}, "status": {"conditions": [
  {"type": "ServiceDomainNameResolutionReady", "status": "False"}, {"type": "Ready", "status": "True"}]}})");

Json remedy(std::string_view spec) {
  return Json::object({{"spec", json(spec)}});
}

TEST(Remedy_Actions, of_all_remedies_that_speak_of_the_cluster_sorted_and_once) {
  EXPECT_EQ(
      remedy_actions({remedy(R"({"actions": ["TrafficControl", "B"]})"), remedy(R"({"actions": ["B", "A"]})"),
                      remedy(R"({"clusterAffinity": {"clusterNames": ["m2"]}, "actions": ["C"]})")},
                     kCluster),
      json(R"(["A", "B", "TrafficControl"])"));
}

TEST(Remedy_Actions, any_decision_match_is_enough) {
  struct Case {
    std::string_view matches;
    bool acts;
  };
  const Case cases[] = {
      {R"([{"clusterConditionMatch": {"conditionType": "ServiceDomainNameResolutionReady", "operator": "Equal", "conditionStatus": "False"}}])",
       true},
      {R"([{"clusterConditionMatch": {"conditionType": "ServiceDomainNameResolutionReady", "operator": "NotEqual", "conditionStatus": "True"}}])",
       true},
      {R"([{"clusterConditionMatch": {"conditionType": "Ready", "operator": "Equal", "conditionStatus": "False"}}])",
       false},
      {R"([{"clusterConditionMatch": {"conditionType": "Missing", "operator": "NotEqual", "conditionStatus": "True"}}])",
       false},
      {R"([{"clusterConditionMatch": {"conditionType": "Missing", "operator": "Equal", "conditionStatus": "True"}},
           {"clusterConditionMatch": {"conditionType": "Ready", "operator": "Equal", "conditionStatus": "True"}}])",
       true},
      {"[]", false},
  };
  for (const Case& one : cases) {
    const Json actions = remedy_actions(
        {remedy(R"({"actions": ["TrafficControl"], "decisionMatches": )" + std::string(one.matches) + "}")},
        kCluster);
    EXPECT_EQ(!actions.empty(), one.acts) << one.matches;
  }
}

}  // namespace
}  // namespace flotilla::controllers
