// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/federated_autoscale/autoscale_plan.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;
using std::chrono::minutes;
using std::chrono::seconds;

Json json(std::string_view text) {
  return *Json::parse(text);
}

const WallTime kNow = *parse_time("2026-05-01T12:00:00Z");

// A pod that has been ready for an hour and asks for 1 cpu.
Json pod(const std::string& name, std::string_view phase = "Running", std::string_view ready = "True",
         std::string_view since = "2026-05-01T11:00:00Z") {
  return json(R"({"metadata": {"name": ")" + name + R"("}, "spec": {"containers": [
      {"name": "web", "resources": {"requests": {"cpu": "1"}}}]},
    "status": {"phase": ")" +
              std::string(phase) + R"(", "startTime": ")" + std::string(since) + R"(",
      "conditions": [{"type": "Ready", "status": ")" +
              std::string(ready) + R"(", "lastTransitionTime": ")" + std::string(since) + R"("}]}})");
}

Json usage(const std::string& name, const std::string& cpu) {
  return json(R"({"metadata": {"name": ")" + name +
              R"("}, "timestamp": "2026-05-01T12:00:00Z", "window": "30s",
    "containers": [{"name": "web", "usage": {"cpu": ")" +
              cpu + R"("}}]})");
}

Json autoscaler(std::string_view rest = "") {
  return json(
      R"({"metadata": {"name": "web", "namespace": "default"}, "spec": {"minReplicas": 1, "maxReplicas": 20,
    "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}])" +
      std::string(rest) + "}}");
}

struct World {
  Json object = autoscaler();
  std::int64_t replicas = 0;
  std::vector<MemberObject> pods, metrics;
  AutoscaleMemory memory;
  WallTime now = kNow;

  // Pods pN in two clusters with the cpu they use; empty: unknown.
  World& with(const std::vector<std::string>& cpus) {
    for (std::size_t i = 0; i < cpus.size(); ++i) {
      const std::string name = "p" + std::to_string(i), cluster = i % 2 == 0 ? "m1" : "m2";
      pods.push_back({cluster, pod(name)});
      if (!cpus[i].empty()) metrics.push_back({cluster, usage(name, cpus[i])});
    }
    replicas = static_cast<std::int64_t>(cpus.size());
    return *this;
  }
  AutoscalePlan plan(std::int64_t member_replicas = -1) {
    const std::int64_t there = member_replicas < 0 ? replicas : member_replicas;
    AutoscaleInput input{object, replicas, there, there, pods, {}, now, {}};
    if (needs_metrics(object, replicas, there)) input.metrics.push_back(MetricAnswer{metrics, 0});
    return plan_autoscale(input, memory);
  }
};

std::string condition(const AutoscalePlan& plan, std::string_view type) {
  const Json* found = api::find_condition(std::as_const(plan.status)["conditions"], type);
  if (found == nullptr) return "absent";
  return std::string((*found)["status"].as_string()) + " " + std::string((*found)["reason"].as_string());
}

TEST(Autoscale_Plan, follows_the_utilization_beyond_the_tolerance) {
  struct Case {
    std::vector<std::string> cpus;
    std::int64_t wanted;
  };
  const Case cases[] = {
      {{"500m", "500m"}, 2},  // on target
      {{"540m", "540m"}, 2},  // within a tenth
      {{"600m", "600m"}, 3},  // ceil(2 * 60/50)
      {{"1", "1", "1"}, 6},   // twice the target
      {{"100m", "100m"}, 2},  // ceil(2 * 10/50) = 1, but that of a moment ago was 2
  };
  for (const Case& one : cases) {
    EXPECT_EQ(World().with(one.cpus).plan().replicas, one.wanted) << one.cpus.front();
  }
}

TEST(Autoscale_Plan, says_what_it_does) {
  World world;
  const AutoscalePlan plan = world.with({"1", "1"}).plan();
  EXPECT_TRUE(plan.rescale);
  EXPECT_EQ(plan.replicas, 4);
  EXPECT_EQ(plan.rescale_reason, "cpu resource utilization (percentage of request) above target");
  EXPECT_EQ(condition(plan, "AbleToScale"), "True ReadyForNewScale");
  EXPECT_EQ(condition(plan, "ScalingActive"), "True ValidMetricFound");
  EXPECT_EQ(condition(plan, "ScalingLimited"), "False DesiredWithinRange");
  EXPECT_EQ(
      std::as_const(plan.status)["currentMetrics"],
      json(
          R"([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 100, "averageValue": "1"}}}])"));
  EXPECT_EQ(std::as_const(plan.status)["currentReplicas"].as_int(), 2);
  EXPECT_EQ(std::as_const(plan.status)["desiredReplicas"].as_int(), 4);
}

TEST(Autoscale_Plan, shrinks_when_the_window_has_passed) {
  World world;
  world.with({"100m", "100m", "100m", "100m"});
  EXPECT_EQ(condition(world.plan(), "AbleToScale"), "True ScaleDownStabilized");
  world.now += minutes(6);
  for (MemberObject& one : world.metrics) one.object.set("timestamp", "2026-05-01T12:06:00Z");
  const AutoscalePlan plan = world.plan();
  EXPECT_EQ(plan.replicas, 1);
  EXPECT_EQ(plan.rescale_reason, "All metrics below target");
}

TEST(Autoscale_Plan, stays_within_bounds) {
  World world;
  world.object = autoscaler();
  world.object["spec"].set("maxReplicas", 3);
  const AutoscalePlan limited = world.with({"1", "1"}).plan();
  EXPECT_EQ(limited.replicas, 3);
  EXPECT_EQ(condition(limited, "ScalingLimited"), "True TooManyReplicas");

  World fast;
  fast.object = autoscaler();
  fast.with({"20", "20"});
  const AutoscalePlan rate = fast.plan();
  EXPECT_EQ(rate.replicas, 4);
  EXPECT_EQ(condition(rate, "ScalingLimited"), "True ScaleUpLimit");
}

TEST(Autoscale_Plan, needs_no_metrics_outside_of_the_bounds) {
  World above;
  above.with({"1", "1"}).object["spec"].set("maxReplicas", 1);
  const AutoscalePlan down = above.plan();
  EXPECT_EQ(down.replicas, 1);
  EXPECT_EQ(down.rescale_reason, "Current number of replicas above Spec.MaxReplicas");
  World below;
  below.with({"1", "1"}).object["spec"].set("minReplicas", 5);
  EXPECT_EQ(below.plan().rescale_reason, "Current number of replicas below Spec.MinReplicas");
  World off;
  const AutoscalePlan disabled = off.with({}).plan();
  EXPECT_FALSE(disabled.rescale);
  EXPECT_EQ(condition(disabled, "ScalingActive"), "False ScalingDisabled");
}

TEST(Autoscale_Plan, is_careful_with_pods_of_which_nothing_is_known) {
  // Growing: the unknown pod counts as idle: 2 of 3 use 1.5 cpu, so 100 % of 3 pods' requests.
  EXPECT_EQ(World().with({"1500m", "1500m", ""}).plan().replicas, 6);
  // Shrinking: it counts as using all it asked for: 0.1 + 0.1 + 1 of 3 is 40 %.
  World world;
  world.with({"100m", "100m", ""});
  world.memory.recommendations.push_back({1, kNow});
  EXPECT_EQ(world.plan().replicas, 3);
  // Not ready yet: it does not count at all while nothing grows.
  World starting;
  starting.with({"500m", "500m"});
  starting.pods.push_back({"m1", pod("new", "Running", "False", "2026-05-01T11:59:50Z")});
  starting.metrics.push_back({"m1", usage("new", "3")});
  starting.replicas = 3;
  EXPECT_EQ(starting.plan().replicas, 3);
}

TEST(Autoscale_Plan, reckons_with_members_that_do_not_answer) {
  World world;
  world.with({"1", "1"});
  world.replicas = 4;  // the template's; half of the replicas are in a member that is silent
  EXPECT_EQ(world.plan(2).replicas, 8);
}

TEST(Autoscale_Plan, says_why_it_can_do_nothing) {
  World world;
  const AutoscalePlan plan = world.with({"", ""}).plan();
  EXPECT_FALSE(plan.rescale);
  ASSERT_TRUE(plan.error);
  EXPECT_EQ(condition(plan, "ScalingActive"), "False FailedGetResourceMetric");
  EXPECT_EQ(plan.error->message(),
            "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: "
            "failed to "
            "get cpu utilization: did not receive metrics for any ready pods");
  ASSERT_EQ(plan.events.size(), 2u);
  EXPECT_EQ(plan.events[0].reason, "FailedGetResourceMetric");
  EXPECT_EQ(plan.events[1].reason, "FailedComputeMetricsReplicas");

  World bare;
  bare.with({"1", "1"});
  bare.pods[1].object = json(
      R"({"metadata": {"name": "p1"}, "spec": {"containers": [{"name": "web"}]}, "status": {"phase": "Running"}})");
  EXPECT_NE(bare.plan().error->message().find("missing request for cpu in container web of Pod p1"),
            std::string::npos);
}

Json custom(std::string_view type, std::string_view body) {
  Json object = autoscaler();
  object["spec"].set("metrics",
                     json("[{\"type\": \"" + std::string(type) + "\", " + std::string(body) + "}]"));
  return object;
}

TEST(Autoscale_Plan, knows_the_other_kinds_of_metrics) {
  const auto plan_of = [](Json object, Result<MetricAnswer> answer) {
    World world;
    world.with({"1", "1"});
    AutoscaleInput input{object, 2, 2, 2, world.pods, {}, kNow, {}};
    input.metrics.push_back(std::move(answer));
    AutoscaleMemory memory;
    return plan_autoscale(input, memory);
  };
  const auto value = [](const char* name, const char* amount) {
    return MemberObject{"m1", json(R"({"describedObject": {"kind": "Pod", "name": ")" + std::string(name) +
                                   R"("}, "value": ")" + amount + "\"}")};
  };
  MetricAnswer rates;
  rates.pods = {value("p0", "30"), {"m2", value("p1", "30").object}};
  EXPECT_EQ(
      plan_of(
          custom(
              "Pods",
              R"("pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "20"}})"),
          rates)
          .replicas,
      3);
  MetricAnswer whole;
  whole.value = 90'000;
  const char* const kObject =
      R"("object": {"describedObject": {"kind": "Ingress", "name": "main"}, "metric": {"name": "rps"}, "target": {"type": "Value", "value": "60"}})";
  const AutoscalePlan by_object = plan_of(custom("Object", kObject), whole);
  EXPECT_EQ(by_object.replicas, 3);
  EXPECT_EQ(by_object.rescale_reason, "Ingress metric rps above target");
  EXPECT_EQ(
      plan_of(
          custom(
              "Object",
              R"("object": {"describedObject": {"kind": "Ingress", "name": "main"}, "metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "30"}})"),
          whole)
          .replicas,
      3);
  const AutoscalePlan external = plan_of(
      custom("External",
             R"("external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "1"}})"),
      Error(Code::Unsupported, "not served"));
  EXPECT_EQ(condition(external, "ScalingActive"), "False FailedGetExternalMetric");
  const AutoscalePlan container = plan_of(
      custom(
          "ContainerResource",
          R"("containerResource": {"name": "cpu", "container": "web", "target": {"type": "Utilization", "averageUtilization": 50}})"),
      MetricAnswer{World().with({"1", "1"}).metrics, 0});
  EXPECT_EQ(container.replicas, 4);
  EXPECT_EQ(container.rescale_reason,
            "cpu container resource utilization (percentage of request) above target");
}

TEST(Autoscale_Rescale, tells_how_it_went) {
  World world;
  AutoscalePlan plan = world.with({"1", "1"}).plan();
  AutoscalePlan failed = plan;
  note_rescale(plan, world.object, 2, nullptr, kNow);
  EXPECT_EQ(condition(plan, "AbleToScale"), "True SucceededRescale");
  EXPECT_EQ(plan.events.back().message,
            "New size: 4; reason: cpu resource utilization (percentage of request) above target");
  EXPECT_EQ(std::as_const(plan.status)["lastScaleTime"].as_string(), "2026-05-01T12:00:00Z");
  const Error error(Code::Forbidden, "no");
  note_rescale(failed, world.object, 2, &error, kNow);
  EXPECT_EQ(condition(failed, "AbleToScale"), "False FailedUpdateScale");
  EXPECT_EQ(failed.events.back().reason, "FailedRescale");
}

}  // namespace
}  // namespace flotilla::controllers
