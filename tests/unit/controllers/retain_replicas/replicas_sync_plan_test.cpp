// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/retain_replicas/replicas_sync_plan.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;
using Step = ReplicasSync::Step;

Json json(std::string_view text) {
  return *Json::parse(text);
}

Json deployment(int asked, int there, std::string_view label = "true") {
  return json(
      R"({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"resourcetemplate.karmada.io/retain-replicas": ")" +
      std::string(label) + R"("}}, "spec": {"replicas": )" + std::to_string(asked) +
      R"(}, "status": {"replicas": )" + std::to_string(there) + "}}");
}

Json binding(int replicas, std::string_view statuses, int observed = 3, std::string_view type = "Divided") {
  return json(
      R"({"metadata": {"generation": 3}, "spec": {"replicas": )" + std::to_string(replicas) +
      R"(, "clusters": [{"name": "m1"}, {"name": "m2"}], "placement": {"replicaScheduling": {"replicaSchedulingType": ")" +
      std::string(type) + R"("}}}, "status": {"schedulerObservedGeneration": )" + std::to_string(observed) +
      R"(, "aggregatedStatus": )" + std::string(statuses) + "}}");
}

TEST(ReplicasSync_Plan, takes_over_what_has_come_back) {
  const char* const kSettled = R"([{"status": {"replicas": 4}}, {"status": {"replicas": 1}}])";
  struct Case {
    Json template_, binding;
    Step step;
  };
  const Case cases[] = {
      {deployment(2, 5), binding(2, kSettled), Step::Set},
      {deployment(5, 5), binding(5, kSettled), Step::Leave},
      {deployment(2, 5, "false"), binding(2, kSettled), Step::Leave},
      {deployment(2, 5), binding(2, kSettled, 3, "Duplicated"), Step::Leave},
      {deployment(2, 5), binding(3, kSettled), Step::Wait},     // not in the binding yet
      {deployment(2, 5), binding(2, kSettled, 2), Step::Wait},  // not scheduled yet
      {deployment(2, 4), binding(2, kSettled), Step::Wait},     // not in the template's status yet
      {deployment(2, 5), binding(2, R"([{"status": {"replicas": 5}}])"), Step::Wait},
      {deployment(2, 5), binding(2, R"([{"status": {"replicas": 5}}, {"status": {"replicas": 0}}])"),
       Step::Wait},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const ReplicasSync sync = plan_replicas_sync(cases[i].template_, cases[i].binding);
    EXPECT_EQ(sync.step, cases[i].step) << "case " << i;
    if (sync.step == Step::Set) EXPECT_EQ(sync.replicas, 5);
  }
}

TEST(ReplicasSync_Autoscaler, scales_what_it_names) {
  const Json autoscaler =
      json(R"({"metadata": {"labels": {"clusterpropagationpolicy.karmada.io/permanent-id": "x"}},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}})");
  EXPECT_TRUE(is_propagated_autoscaler(autoscaler));
  EXPECT_TRUE(scales(autoscaler, deployment(1, 1)));
  Json other = deployment(1, 1);
  other.set("kind", "StatefulSet");
  EXPECT_FALSE(scales(autoscaler, other));
  EXPECT_FALSE(is_propagated_autoscaler(json("{}")));
}

}  // namespace
}  // namespace flotilla::controllers
