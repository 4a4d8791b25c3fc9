// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

api::Json retained(std::string_view api_version, std::string_view kind, std::string_view desired,
                   std::string_view observed) {
  auto result =
      NativeInterpreter().retain(object(api_version, kind, desired), object(api_version, kind, observed));
  EXPECT_TRUE(result.ok());
  return result ? *result : api::Json();
}

TEST(Interpreter_Retain, keeps_the_replicas_of_a_member_only_when_the_label_says_so) {
  auto labelled = retained(
      "apps/v1", "Deployment",
      R"({"metadata": {"labels": {"resourcetemplate.karmada.io/retain-replicas": "true"}}, "spec": {"replicas": 2}})",
      R"({"spec": {"replicas": 7}})");
  auto plain =
      retained("apps/v1", "Deployment", R"({"spec": {"replicas": 2}})", R"({"spec": {"replicas": 7}})");
  EXPECT_EQ(labelled.at({"spec", "replicas"}).as_int(), 7);
  EXPECT_EQ(plain.at({"spec", "replicas"}).as_int(), 2);
}

TEST(Interpreter_Retain, leaves_to_the_member_where_a_pod_runs_and_what_it_mounts) {
  auto pod = retained(
      "v1", "Pod",
      R"({"spec": {"containers": [{"name": "a", "args": []}, {"name": "b", "volumeMounts": [{"name": "v"}]}]}})",
      R"({"spec": {"nodeName": "node-1", "volumes": [{"name": "token"}],
          "containers": [{"name": "a", "volumeMounts": [{"name": "token"}]}]}})");
  EXPECT_EQ(pod["spec"], json(R"({"nodeName": "node-1", "volumes": [{"name": "token"}],
      "containers": [{"name": "a", "volumeMounts": [{"name": "token"}]},
                     {"name": "b", "volumeMounts": [{"name": "v"}]}]})"));
}

TEST(Interpreter_Retain, keeps_the_addresses_of_a_service_but_not_its_node_ports) {
  auto service = retained(
      "v1", "Service", R"({"spec": {"ports": [{"port": 80}]}})",
      R"({"spec": {"clusterIP": "10.0.0.1", "healthCheckNodePort": 31000, "ports": [{"port": 80, "nodePort": 30080}]}})");
  EXPECT_EQ(service["spec"],
            json(R"({"clusterIP": "10.0.0.1", "healthCheckNodePort": 31000, "ports": [{"port": 80}]})"));
}

TEST(Interpreter_Retain, adds_the_secrets_that_a_member_gave_a_service_account) {
  auto account = retained("v1", "ServiceAccount", R"({"secrets": [{"name": "a"}]})",
                          R"({"secrets": [{"name": "token"}, {"name": "a"}]})");
  EXPECT_EQ(account["secrets"], json(R"([{"name": "a"}, {"name": "token"}])"));
}

TEST(Interpreter_Retain, keeps_the_selector_that_a_job_was_given) {
  auto job = retained("batch/v1", "Job", R"({"spec": {"template": {"metadata": {"labels": {"app": "x"}}}}})",
                      R"({"spec": {"selector": {"matchLabels": {"uid": "1"}},
                          "template": {"metadata": {"labels": {"uid": "1"}}}}})");
  EXPECT_EQ(job["spec"], json(R"({"selector": {"matchLabels": {"uid": "1"}},
                                  "template": {"metadata": {"labels": {"uid": "1"}}}})"));
}

TEST(Interpreter_Retain, keeps_the_data_of_token_secrets_alone) {
  std::string_view observed = R"({"data": {"token": "b"}})";
  auto token = retained("v1", "Secret", R"({"type": "kubernetes.io/service-account-token"})", observed);
  auto opaque = retained("v1", "Secret", R"({"type": "Opaque", "data": {"token": "a"}})", observed);
  EXPECT_EQ(token.at({"data", "token"}).as_string(), "b");
  EXPECT_EQ(opaque.at({"data", "token"}).as_string(), "a");
}

TEST(Interpreter_Retain, keeps_what_volumes_and_claims_are_bound_to) {
  auto claim =
      retained("v1", "PersistentVolumeClaim", R"({"spec": {}})", R"({"spec": {"volumeName": "pv"}})");
  auto volume =
      retained("v1", "PersistentVolume", R"({"spec": {}})", R"({"spec": {"claimRef": {"name": "c"}}})");
  EXPECT_EQ(claim.at({"spec", "volumeName"}).as_string(), "pv");
  EXPECT_EQ(volume.at({"spec", "claimRef", "name"}).as_string(), "c");
}

}  // namespace
}  // namespace flotilla::interpreter::test
