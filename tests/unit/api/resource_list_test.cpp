// SPDX-License-Identifier: Apache-2.0
#include "core/api/resource_list.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

ResourceList list(std::string_view text) {
  return *ResourceList::from_json(*Json::parse(text));
}

TEST(Api_ResourceList, adds_and_subtracts_by_name) {
  ResourceList sum = list(R"({"cpu": "500m"})");
  sum.add(list(R"({"cpu": "1", "pods": "3"})"));
  sum.subtract(list(R"({"pods": 1})"));
  EXPECT_EQ(sum.to_json().dump(), R"({"cpu":"1500m","pods":"2"})");
}

TEST(Api_ResourceList, names_the_resource_whose_quantity_is_wrong) {
  auto broken = ResourceList::from_json(*Json::parse(R"({"cpu": "many"})"));
  ASSERT_FALSE(broken.ok());
  EXPECT_TRUE(broken.error().message().starts_with("cpu: "));
}

TEST(Api_ResourceList, reckons_with_what_nodes_can_offer) {
  for (std::string_view name :
       {"cpu", "pods", "nvidia.com/gpu", "hugepages-2Mi", "kubernetes.io/batch-cpu"}) {
    EXPECT_TRUE(is_schedulable_resource(name)) << name;
  }
  for (std::string_view name : {"storage", "requests.nvidia.com/gpu", "limits"}) {
    EXPECT_FALSE(is_schedulable_resource(name)) << name;
  }
}

TEST(Api_ResourceList, writes_summed_requests_in_the_form_they_travel_in) {
  ResourceList travelling =
      schedulable_amounts(list(R"({"cpu": "0.0001", "memory": "512M", "storage": "1Gi", "pods": "0"})"));
  EXPECT_EQ(travelling.to_json().dump(), R"({"cpu":"1m","memory":"500000Ki"})");
}

TEST(Api_ResourceList, fills_requests_in_from_limits_when_told_to) {
  Json pod = *Json::parse(R"({"containers": [
    {"resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "4", "memory": "1Gi"}}}]})");
  EXPECT_EQ(pod_requests(pod, Limits::StandIn)->to_json().dump(), R"({"cpu":"1","memory":"1Gi"})");
  EXPECT_EQ(pod_requests(pod, Limits::Ignored)->to_json().dump(), R"({"cpu":"1"})");
}

}  // namespace
}  // namespace flotilla::api
