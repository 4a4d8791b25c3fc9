// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/admission/world.hpp"

namespace flotilla::api::test {
namespace {

constexpr AdmissionOptions kEnforced{.federated_quota_enforcement = true};

Json binding(std::string_view replicas) {
  return of_kind(
      "work.karmada.io/v1alpha2", "ResourceBinding",
      R"({"metadata": {"namespace": "home", "name": "b"}, "spec": {"clusters": [{"name": "a", "replicas": )" +
          std::string(replicas) + R"(}], "replicaRequirements": {"resourceRequest": {"cpu": "1"}}}})");
}

Json quota(std::string_view used) {
  return json(R"({"metadata": {"namespace": "home", "name": "q"}, "spec": {"overall": {"cpu": "5"}},
                  "status": {"overallUsed": {"cpu": ")" +
              std::string(used) + R"("}}})");
}

TEST(Api_ReviewBinding, is_charged_to_the_quotas_of_its_namespace) {
  FakeWorld world;
  world.existing = {quota("2")};
  Json object = binding("3");
  Json nothing;
  ASSERT_TRUE(review({AdmissionVerb::Create, "home", object, nothing}, world, kEnforced).ok());
  EXPECT_EQ(world.written.at(0)["status"]["overallUsed"]["cpu"].as_string(), "5");
}

TEST(Api_ReviewBinding, is_denied_what_exceeds_a_quota) {
  FakeWorld world;
  world.existing = {quota("3")};
  EXPECT_EQ(complaint(binding("3"), Json(), world, kEnforced),
            "FederatedResourceQuota(home/q) exceeded for resource cpu: requested sum 6, limit 5.");
  EXPECT_EQ(complaint(binding("3"), binding("3"), world, kEnforced), "");
  EXPECT_EQ(complaint(binding("3"), Json(), world), "");
}

TEST(Api_ReviewBinding, wants_components_with_names_of_their_own) {
  Json twice = of_kind("work.karmada.io/v1alpha2", "ResourceBinding",
                       R"({"spec": {"components": [{"name": "a"}, {"name": "a"}]}})");
  EXPECT_NE(complaint(twice), "");
}

TEST(Api_ReviewQuota, assigns_no_more_than_there_is) {
  auto assigned = [](std::string_view cpu) {
    return of_kind(
        "policy.karmada.io/v1alpha1", "FederatedResourceQuota",
        R"({"metadata": {"name": "q"}, "spec": {"overall": {"cpu": "5"}, "staticAssignments": [{"clusterName": "a", "hard": {"cpu": ")" +
            std::string(cpu) + R"("}}]}})");
  };
  EXPECT_EQ(complaint(assigned("5")), "");
  EXPECT_NE(complaint(assigned("6")), "");
}

TEST(Api_ReviewInterpreters, lets_one_customisation_have_an_operation) {
  auto customization = [](std::string_view name, std::string_view script) {
    return of_kind("config.karmada.io/v1alpha1", "ResourceInterpreterCustomization",
                   R"({"metadata": {"name": ")" + std::string(name) +
                       R"("}, "spec": {"target": {"kind": "Foo"},
                       "customizations": {"retention": {"luaScript": ")" +
                       std::string(script) + R"("}}}})");
  };
  FakeWorld world;
  world.existing = {customization("other", "x")};
  EXPECT_EQ(
      complaint(customization("mine", "y"), Json(), world),
      "conflicting with InterpreterOperation(Retain) of existing ResourceInterpreterCustomization(other)");
  EXPECT_EQ(complaint(customization("other", "y"), Json(), world), "");
  EXPECT_NE(complaint(customization("mine", "broken")), "");
}

TEST(Api_ReviewInterpreters, checks_where_webhooks_are_called) {
  auto webhook = [](std::string_view url) {
    return of_kind(
        "config.karmada.io/v1alpha1", "ResourceInterpreterWebhookConfiguration",
        R"({"webhooks": [{"name": "a.b.c", "rules": [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "kinds": ["Pod"]}],
                       "clientConfig": {"url": ")" +
            std::string(url) + R"("}, "interpreterContextVersions": ["v1alpha1"]}]})");
  };
  EXPECT_EQ(complaint(webhook("https://x/a")), "");
  EXPECT_NE(complaint(webhook("http://x/a")), "");
  EXPECT_NE(complaint(webhook("https://x/a?b=c")), "");
}

TEST(Api_ReviewCron, wants_a_target_for_each_rule) {
  auto cron = [](std::string_view rule) {
    return of_kind(
        "autoscaling.karmada.io/v1alpha1", "CronFederatedHPA",
        R"({"metadata": {"name": "c"}, "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "rules": [)" +
            std::string(rule) + "]}}");
  };
  EXPECT_EQ(
      complaint(cron(
          R"({"name": "r", "schedule": "0 8 * * *", "targetReplicas": 0, "timeZone": "Asia/Shanghai"})")),
      "");
  EXPECT_NE(complaint(cron(R"({"name": "r", "schedule": "0 8 * * *"})")), "");
  EXPECT_NE(complaint(cron(R"({"name": "r", "schedule": "0 25 * * *", "targetReplicas": 1})")), "");
  EXPECT_NE(
      complaint(cron(R"({"name": "r", "schedule": "0 8 * * *", "targetReplicas": 1, "timeZone": "Mars"})")),
      "");
}

TEST(Api_ReviewServices, expose_one_type_for_good) {
  auto service = [](std::string_view type) {
    return of_kind("networking.karmada.io/v1alpha1", "MultiClusterService",
                   R"({"metadata": {"name": "s"}, "spec": {"types": [")" + std::string(type) +
                       R"("], "ports": [{"port": 80}]}})");
  };
  EXPECT_EQ(complaint(service("CrossCluster")), "");
  EXPECT_NE(complaint(service("CrossCluster"), service("LoadBalancer")), "");
}

TEST(Api_ReviewServices, route_ingresses_somewhere) {
  auto ingress = [](std::string_view spec) {
    return of_kind("networking.karmada.io/v1alpha1", "MultiClusterIngress",
                   R"({"spec": )" + std::string(spec) + "}");
  };
  EXPECT_NE(complaint(ingress("{}")), "");
  EXPECT_EQ(complaint(ingress(R"({"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}})")),
            "");
  EXPECT_NE(complaint(ingress(R"({"rules": [{"host": "10.0.0.1"}]})")), "");
}

}  // namespace
}  // namespace flotilla::api::test
