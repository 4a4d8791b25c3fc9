// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/quota_estimator.hpp"

#include <gtest/gtest.h>

#include "core/scheduler/schedule.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;
using Room = std::optional<std::int64_t>;

Json quota(std::string_view hard, std::string_view used, std::string_view spec = "{}") {
  Json made = parsed(R"({"metadata":{"namespace":"shop","name":"q"}})");
  made.set("spec", parsed(spec));
  made.make({"status", "hard"}) = parsed(hard);
  made.make({"status", "used"}) = parsed(used);
  return made;
}

QuotaDemand demand(std::string_view requests, std::string_view priority_class = "",
                   std::int64_t replicas = 1) {
  return {std::string(priority_class),
          parse_requests(parsed("{\"resourceRequest\":" + std::string(requests) + "}")), replicas};
}

Room room(const std::vector<Json>& quotas, const std::vector<QuotaDemand>& set,
          std::string_view ns = "shop") {
  return ClusterQuotas::make(quotas)->room_for(ns, set);
}

TEST(Scheduler_QuotaEstimator, divides_what_is_free_by_what_is_requested) {
  const Json q = quota(R"({"cpu":"10","requests.memory":"8Gi"})", R"({"cpu":"4","requests.memory":"2Gi"})");
  EXPECT_EQ(room({q}, {demand(R"({"cpu":"2"})")}), Room(3));
  EXPECT_EQ(room({q}, {demand(R"({"cpu":"2","memory":"3Gi"})")}), Room(2));
  EXPECT_EQ(room({q}, {demand(R"({"cpu":"7"})")}), Room(0));
  EXPECT_EQ(room({q, quota(R"({"cpu":"5"})", R"({"cpu":"9"})")}, {demand(R"({"cpu":"2"})")}), Room(0));
}

TEST(Scheduler_QuotaEstimator, says_nothing_where_nothing_is_bounded) {
  const Json q = quota(R"({"limits.cpu":"1","pods":"1","requests.storage":"1Gi"})",
                       R"({"limits.cpu":"1","pods":"1","requests.storage":"1Gi"})");
  EXPECT_EQ(room({q}, {demand(R"({"cpu":"2"})")}), std::nullopt);
  EXPECT_EQ(room({quota(R"({"cpu":"1"})", "{}")}, {demand(R"({"cpu":"2"})")}), std::nullopt);
  EXPECT_EQ(room({quota(R"({"cpu":"1"})", R"({"cpu":"1"})")}, {demand(R"({"memory":"1Gi"})")}), std::nullopt);
  EXPECT_EQ(room({quota(R"({"cpu":"1"})", R"({"cpu":"1"})")}, {demand(R"({"cpu":"1"})")}, "other"),
            std::nullopt);
}

TEST(Scheduler_QuotaEstimator, counts_extended_resources) {
  const Json q = quota(R"({"requests.nvidia.com/gpu":"5"})", R"({"requests.nvidia.com/gpu":"1"})");
  EXPECT_EQ(room({q}, {demand(R"({"nvidia.com/gpu":"2"})")}), Room(2));
}

TEST(Scheduler_QuotaEstimator, heeds_scopes_by_priority_class_alone) {
  const auto with = [](std::string_view spec, std::string_view priority_class) {
    return room({quota(R"({"cpu":"4"})", R"({"cpu":"0"})", spec)},
                {demand(R"({"cpu":"1"})", priority_class)});
  };
  constexpr std::string_view kExists = R"({"scopes":["PriorityClass"]})";
  EXPECT_EQ(with(kExists, "high"), Room(4));
  EXPECT_EQ(with(kExists, ""), std::nullopt);
  EXPECT_EQ(with(R"({"scopes":["BestEffort"]})", "high"), std::nullopt);
  const auto selector = [](std::string_view op) {
    return R"({"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":")" +
           std::string(op) + R"(","values":["high"]}]}})";
  };
  EXPECT_EQ(with(selector("In"), "high"), Room(4));
  EXPECT_EQ(with(selector("In"), "low"), std::nullopt);
  EXPECT_EQ(with(selector("NotIn"), "low"), Room(4));
  EXPECT_EQ(with(selector("NotIn"), ""), Room(4));
  EXPECT_EQ(with(selector("DoesNotExist"), ""), Room(4));
}

TEST(Scheduler_QuotaEstimator, takes_whole_sets_of_the_components_it_applies_to) {
  const Json scoped = quota(R"({"cpu":"10"})", R"({"cpu":"0"})",
                            R"({"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass",
                            "operator":"In","values":["high"]}]}})");
  const std::vector<QuotaDemand> set = {demand(R"({"cpu":"1"})", "high", 2),
                                        demand(R"({"cpu":"3"})", "low", 1)};
  EXPECT_EQ(room({scoped}, set), Room(5));
  EXPECT_EQ(room({quota(R"({"cpu":"10"})", R"({"cpu":"0"})")}, set), Room(2));
}

TEST(Scheduler_QuotaEstimator, takes_part_where_quotas_are_known) {
  fakes::InTreePolicies policies;
  const auto known = ClusterQuotas::make(std::vector<Json>{quota(R"({"cpu":"4"})", R"({"cpu":"0"})")});
  (*policies).add(std::make_unique<QuotaEstimator>(
      [&](const std::string& cluster) { return cluster == "m1" ? known : nullptr; }));
  const ClusterTablePtr table = table_of({cluster("m1"), cluster("m2")});
  const Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"shop"},
      "replicas":3,"replicaRequirements":{"resourceRequest":{"cpu":"2"}},"placement":{}})");
  const Decision decision = schedule(*table, parse_binding(spec, Json()), *policies);
  ASSERT_EQ(decision.record.candidates.size(), 2u);
  EXPECT_EQ(decision.record.estimates.back().replicas, (std::vector<std::int32_t>{2, -1}));
}

}  // namespace
}  // namespace flotilla::scheduler
