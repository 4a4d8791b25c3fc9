// SPDX-License-Identifier: Apache-2.0
#include "core/api/limits/quota.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

Json parse(std::string_view text) {
  auto json = Json::parse(text);
  EXPECT_TRUE(json.ok());
  return *json;
}

std::string cost(std::string_view group, std::string_view resource, std::string_view object) {
  return quota_text(quota_cost(group, resource, parse(object), WallTime{}));
}

TEST(Api_Quota, pods_pay_for_containers_and_the_greatest_init_container) {
  EXPECT_EQ(cost("", "pods", R"({"spec":{
      "containers":[{"resources":{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"memory":"2Gi"}}},{"resources":{"requests":{"cpu":"500m"}}}],
      "initContainers":[{"resources":{"requests":{"cpu":"2"}}}]}})"),
            "count/pods=1,cpu=2,limits.memory=2Gi,memory=1Gi,pods=1,requests.cpu=2,requests.memory=1Gi");
}

TEST(Api_Quota, what_has_ended_costs_nothing_but_its_place) {
  EXPECT_EQ(
      cost("", "pods",
           R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"1"}}}]},"status":{"phase":"Failed"}})"),
      "count/pods=1");
}

TEST(Api_Quota, services_and_claims_have_names_of_their_own) {
  EXPECT_EQ(cost("", "services", R"({"spec":{"type":"LoadBalancer","ports":[{},{}]}})"),
            "count/services=1,services=1,services.loadbalancers=1,services.nodeports=2");
  EXPECT_EQ(
      cost("", "persistentvolumeclaims",
           R"({"spec":{"storageClassName":"fast","resources":{"requests":{"storage":"5Gi"}}}})"),
      "count/persistentvolumeclaims=1,fast.storageclass.storage.k8s.io/persistentvolumeclaims=1,"
      "fast.storageclass.storage.k8s.io/requests.storage=5Gi,persistentvolumeclaims=1,requests.storage=5Gi");
  EXPECT_EQ(cost("apps", "deployments", "{}"), "count/deployments.apps=1");
}

TEST(Api_Quota, extended_resources_count_by_requests_alone) {
  const std::string text =
      cost("", "pods", R"({"spec":{"containers":[{"resources":{"requests":{"example.com/gpu":"2"}}}]}})");
  EXPECT_EQ(text, "count/pods=1,pods=1,requests.example.com/gpu=2");
}

TEST(Api_Quota, scopes_choose_pods) {
  const Json quota =
      parse(R"({"spec":{"scopes":["BestEffort","NotTerminating"]},"status":{"hard":{"pods":"1"}}})");
  const Json lazy = parse(R"({"spec":{"containers":[{}]}})");
  const Json busy = parse(R"({"spec":{"containers":[{"resources":{"requests":{"cpu":"1"}}}]}})");
  const Json ending = parse(R"({"spec":{"activeDeadlineSeconds":5,"containers":[{}]}})");
  EXPECT_TRUE(quota_matches(quota, "", "pods", lazy));
  EXPECT_FALSE(quota_matches(quota, "", "pods", busy));
  EXPECT_FALSE(quota_matches(quota, "", "pods", ending));
  EXPECT_FALSE(quota_matches(quota, "", "configmaps", lazy));
}

TEST(Api_Quota, priority_classes_choose_pods) {
  const Json quota = parse(R"({"spec":{"scopeSelector":{"matchExpressions":[
      {"scopeName":"PriorityClass","operator":"In","values":["high"]}]}},"status":{"hard":{"pods":"1"}}})");
  EXPECT_TRUE(quota_matches(quota, "", "pods", parse(R"({"spec":{"priorityClassName":"high"}})")));
  EXPECT_FALSE(quota_matches(quota, "", "pods", parse(R"({"spec":{"priorityClassName":"low"}})")));
  EXPECT_FALSE(quota_matches(quota, "", "pods", parse(R"({"spec":{}})")));
}

TEST(Api_Quota, a_pod_must_say_what_is_counted) {
  const Json pod =
      parse(R"({"spec":{"containers":[{"name":"b"},{"name":"a","resources":{"requests":{"cpu":"1"}}}]}})");
  EXPECT_EQ(quota_missing(pod, {"requests.cpu", "pods", "limits.memory"}),
            "must specify limits.memory for: a,b; requests.cpu for: b");
  EXPECT_EQ(quota_missing(pod, {"pods"}), "");
}

}  // namespace
}  // namespace flotilla::api
