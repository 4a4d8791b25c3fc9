// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

bool healthy(std::string_view api_version, std::string_view kind, std::string_view rest) {
  auto result = NativeInterpreter().interpret_health(object(api_version, kind, rest));
  EXPECT_TRUE(result.ok());
  return result.ok() && *result;
}

TEST(Interpreter_Health, of_a_deployment_needs_all_replicas_updated_and_available) {
  EXPECT_TRUE(healthy("apps/v1", "Deployment", R"({"metadata": {"generation": 1}, "spec": {"replicas": 2},
    "status": {"observedGeneration": 1, "updatedReplicas": 2, "availableReplicas": 2}})"));
  EXPECT_FALSE(healthy("apps/v1", "Deployment", R"({"metadata": {"generation": 2}, "spec": {"replicas": 2},
    "status": {"observedGeneration": 1, "updatedReplicas": 2, "availableReplicas": 2}})"));
  EXPECT_FALSE(healthy("apps/v1", "Deployment", R"({"metadata": {"generation": 1}, "spec": {"replicas": 2},
    "status": {"observedGeneration": 1, "updatedReplicas": 2, "availableReplicas": 1}})"));
}

TEST(Interpreter_Health, of_a_load_balancer_needs_an_address) {
  EXPECT_FALSE(healthy("v1", "Service", R"({"spec": {"type": "LoadBalancer"}})"));
  EXPECT_TRUE(healthy("v1", "Service", R"({"spec": {"type": "LoadBalancer"},
    "status": {"loadBalancer": {"ingress": [{}, {"ip": "10.0.0.1"}]}}})"));
  EXPECT_TRUE(healthy("v1", "Service", R"({"spec": {"type": "ClusterIP"}})"));
}

TEST(Interpreter_Health, of_a_running_pod_needs_it_ready) {
  EXPECT_TRUE(healthy("v1", "Pod", R"({"status": {"phase": "Succeeded"}})"));
  EXPECT_TRUE(
      healthy("v1", "Pod",
              R"({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})"));
  EXPECT_FALSE(healthy("v1", "Pod", R"({"status": {"phase": "Running"}})"));
}

TEST(Interpreter_Health, is_an_error_where_the_status_has_another_type) {
  auto broken = object("policy/v1", "PodDisruptionBudget", R"({"status": {"currentHealthy": "two"}})");
  EXPECT_FALSE(NativeInterpreter().interpret_health(broken).ok());
}

}  // namespace
}  // namespace flotilla::interpreter::test
