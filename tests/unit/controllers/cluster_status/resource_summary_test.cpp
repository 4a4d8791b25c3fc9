// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cluster_status/resource_summary.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

api::Json json(std::string_view text) {
  return *api::Json::parse(text);
}

const api::Json& nodes() {
  static const api::Json list = json(R"([
    {"metadata": {"name": "a"}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "2"},
     "conditions": [{"type": "Ready", "status": "True"}]}},
    {"metadata": {"name": "b"}, "status": {"allocatable": {"cpu": "1", "memory": "8Gi", "pods": "2"}}}])");
  return list;
}

const api::Json& models() {
  static const api::Json spec = json(R"({"resourceModels": [
    {"grade": 0, "ranges": [{"name": "cpu", "min": "0"}, {"name": "memory", "min": "0"}]},
    {"grade": 1, "ranges": [{"name": "cpu", "min": "2"}, {"name": "memory", "min": "4Gi"}]}]})");
  return spec;
}

api::Json summary(const api::Json& spec, std::string_view pods) {
  auto result = resource_summary(spec, nodes().elements(), json(pods).elements());
  EXPECT_TRUE(result.ok());
  return result ? *result : api::Json();
}

TEST(ClusterStatus_NodeSummary, counts_ready_nodes) {
  EXPECT_EQ(node_summary(nodes().elements()), json(R"({"totalNum": 2, "readyNum": 1})"));
}

TEST(ClusterStatus_ResourceSummary, tells_waiting_pods_from_placed_ones_and_forgets_ended_ones) {
  auto status = summary(api::Json(), R"([
    {"spec": {"containers": [{"resources": {"requests": {"cpu": "100m"}}}]}},
    {"spec": {"nodeName": "a", "containers": [{"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}]}},
    {"spec": {"nodeName": "a", "containers": [{"resources": {"requests": {"cpu": "1"}}}]}, "status": {"phase": "Succeeded"}}])");
  EXPECT_EQ(status, json(R"({"allocatable": {"cpu": "5", "memory": "16Gi", "pods": "4"},
    "allocating": {"cpu": "100m", "pods": "1"}, "allocated": {"cpu": "1", "pods": "1"}})"));
}

TEST(ClusterStatus_ResourceSummary, puts_each_node_in_the_grade_that_all_its_resources_reach) {
  EXPECT_EQ(summary(models(), "[]")["allocatableModelings"],
            json(R"([{"grade": 0, "count": 1}, {"grade": 1, "count": 1}])"));
}

TEST(ClusterStatus_ResourceSummary, counts_no_node_from_the_first_full_one_on) {
  auto status = summary(models(), R"([{"spec": {"nodeName": "a"}}, {"spec": {"nodeName": "a"}}])");
  EXPECT_EQ(status["allocatableModelings"], json(R"([{"grade": 0, "count": 0}, {"grade": 1, "count": 0}])"));
}

TEST(ClusterStatus_ResourceSummary, names_the_pod_it_cannot_read) {
  api::Json pods = json(R"([{"metadata": {"namespace": "n", "name": "p"},
    "spec": {"containers": [{"resources": {"requests": {"cpu": "much"}}}]}}])");
  auto result = resource_summary(api::Json(), {}, pods.elements());
  ASSERT_FALSE(result.ok());
  EXPECT_TRUE(result.error().message().starts_with("pod n/p: "));
}

}  // namespace
}  // namespace flotilla::controllers
