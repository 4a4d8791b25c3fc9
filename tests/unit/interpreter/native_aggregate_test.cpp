// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

api::Json aggregated(const api::Json& object, const api::Json& reported) {
  auto result = NativeInterpreter().aggregate_status(object, reported.elements(), noon());
  EXPECT_TRUE(result.ok()) << (result ? "" : result.error().message());
  return result ? *result : api::Json();
}

api::Json with_status(std::string_view api_version, std::string_view kind, std::string_view status) {
  return object(api_version, kind,
                R"({"metadata": {"generation": 7}, "status": )" + std::string(status) + "}");
}

TEST(Interpreter_Aggregate, adds_up_replicas_and_keeps_the_rest_of_the_status) {
  auto status =
      aggregated(with_status("apps/v1", "Deployment", R"({"conditions": [1], "replicas": 9})"),
                 items({R"({"replicas": 2, "generation": 1})", R"({"replicas": 1, "generation": 1})"}));
  EXPECT_EQ(status, json(R"({"conditions": [1], "replicas": 3})"));
}

TEST(Interpreter_Aggregate, observes_the_generation_once_all_members_do) {
  auto deployment = with_status("apps/v1", "Deployment", R"({"observedGeneration": 5})");
  std::string_view current = R"({"generation": 2, "observedGeneration": 2, "resourceTemplateGeneration": 7})";
  std::string_view behind = R"({"generation": 2, "observedGeneration": 2, "resourceTemplateGeneration": 6})";
  EXPECT_EQ(aggregated(deployment, items({current, current}))["observedGeneration"].as_int(), 7);
  EXPECT_EQ(aggregated(deployment, items({current, behind}))["observedGeneration"].as_int(), 5);
  EXPECT_EQ(aggregated(deployment, items({current, "null"}))["observedGeneration"].as_int(), 5);
}

TEST(Interpreter_Aggregate, returns_the_same_status_when_no_number_changes) {
  auto daemon_set = with_status("apps/v1", "DaemonSet", R"({"numberAvailable": 0, "observedGeneration": 7})");
  EXPECT_EQ(aggregated(daemon_set, items({})), daemon_set["status"]);
}

TEST(Interpreter_Aggregate, names_the_member_whose_status_cannot_be_read) {
  auto result = NativeInterpreter().aggregate_status(with_status("apps/v1", "Deployment", "{}"),
                                                     items({R"({"replicas": "bad"})"}).elements(), noon());
  ASSERT_FALSE(result.ok());
  EXPECT_TRUE(result.error().message().starts_with("member member1: status.replicas"));
}

TEST(Interpreter_Aggregate, completes_a_job_when_all_members_did) {
  auto job = with_status("batch/v1", "Job", "{}");
  std::string_view complete = R"({"succeeded": 1, "startTime": "2026-01-02T00:00:00Z",
    "completionTime": "2026-01-03T00:00:00Z", "conditions": [{"type": "Complete", "status": "True"}]})";
  std::string_view running = R"({"active": 1, "startTime": "2026-01-01T00:00:00Z"})";
  auto partly = aggregated(job, items({complete, running}));
  auto wholly = aggregated(job, items({complete, complete}));
  EXPECT_EQ(partly, json(R"({"active": 1, "succeeded": 1, "startTime": "2026-01-01T00:00:00Z"})"));
  EXPECT_EQ(wholly["completionTime"].as_string(), "2026-01-03T00:00:00Z");
  EXPECT_EQ(wholly["conditions"].element(0)["lastTransitionTime"].as_string(), "2026-05-01T12:00:00Z");
}

TEST(Interpreter_Aggregate, fails_a_job_when_any_member_did_and_never_changes_it_again) {
  auto job = with_status("batch/v1", "Job", "{}");
  auto failed = aggregated(job, items({R"({"conditions": [{"type": "Failed", "status": "True"}]})", "null"}));
  EXPECT_EQ(failed["conditions"].element(0)["message"].as_string(),
            "Job executed failed in member clusters member1");
  job.set("status", failed);
  EXPECT_EQ(aggregated(job, items({R"({"active": 3})"})), failed);
}

TEST(Interpreter_Aggregate, reports_the_worst_phase_of_pods) {
  auto pod = with_status("v1", "Pod", "null");
  EXPECT_EQ(aggregated(pod, items({R"({"phase": "Running"})", "null"}))["phase"].as_string(), "Pending");
  EXPECT_EQ(
      aggregated(pod, items({R"({"phase": "Running"})", R"({"phase": "Failed"})"}))["phase"].as_string(),
      "Failed");
}

TEST(Interpreter_Aggregate, loses_a_claim_as_soon_as_one_member_did) {
  auto claim = with_status("v1", "PersistentVolumeClaim", "null");
  auto status = aggregated(claim, items({R"({"phase": "Lost"})", R"({"phase": "Pending"})"}));
  EXPECT_EQ(status["phase"].as_string(), "Lost");
}

TEST(Interpreter_Aggregate, sorts_addresses_and_merges_their_ports) {
  auto ingress = with_status("networking.k8s.io/v1", "Ingress", "null");
  auto status = aggregated(
      ingress,
      items(
          {R"({"loadBalancer": {"ingress": [{"ip": "10.0.0.2"}, {"hostname": "b", "ports": [{"port": 443}]}]}})",
           R"({"loadBalancer": {"ingress": [{"hostname": "b", "ports": [{"port": 80}, {"port": 443}]}]}})"}));
  EXPECT_EQ(status, json(R"({"loadBalancer": {"ingress": [
      {"hostname": "b", "ports": [{"port": 80}, {"port": 443}]}, {"ip": "10.0.0.2"}]}})"));
}

TEST(Interpreter_Aggregate, leaves_services_without_a_load_balancer_alone) {
  auto service =
      object("v1", "Service", R"({"spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {}}})");
  EXPECT_EQ(aggregated(service, items({R"({"loadBalancer": {"ingress": [{"ip": "10.0.0.2"}]}})"})),
            service["status"]);
}

TEST(Interpreter_Aggregate, names_disrupted_pods_by_their_cluster) {
  auto budget = with_status("policy/v1", "PodDisruptionBudget", "null");
  auto status = aggregated(budget, items({R"({"currentHealthy": 2, "disruptedPods": {"p": "t"}})"}));
  EXPECT_EQ(status["disruptedPods"], json(R"({"member1/p": "t"})"));
  EXPECT_EQ(status["currentHealthy"].as_int(), 2);
}

}  // namespace
}  // namespace flotilla::interpreter::test
