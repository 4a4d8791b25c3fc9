// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/dependencies.hpp"
#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

TEST(Interpreter_Dependencies, of_a_pod_are_named_once_each) {
  auto list = pod_dependencies(json(R"({
    "serviceAccountName": "builder",
    "imagePullSecrets": [{"name": "pull"}],
    "containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "pull"}}}],
                    "envFrom": [{"configMapRef": {"name": "cm"}}]}],
    "volumes": [{"persistentVolumeClaim": {"claimName": "data"}}, {"cephfs": {"secretRef": {"name": "ceph"}}}]})"),
                               "team-a");
  EXPECT_EQ(list, json(R"([
    {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "team-a", "name": "cm"},
    {"apiVersion": "v1", "kind": "Secret", "namespace": "team-a", "name": "ceph"},
    {"apiVersion": "v1", "kind": "Secret", "namespace": "team-a", "name": "pull"},
    {"apiVersion": "v1", "kind": "ServiceAccount", "namespace": "team-a", "name": "builder"},
    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "team-a", "name": "data"}])"));
}

TEST(Interpreter_Dependencies, do_not_include_the_default_service_account) {
  EXPECT_TRUE(pod_dependencies(json(R"({"serviceAccountName": "default"})"), "team-a").empty());
}

TEST(Interpreter_Dependencies, of_a_stateful_set_leave_out_the_claims_it_makes) {
  auto list = NativeInterpreter().dependencies(object("apps/v1", "StatefulSet", R"({"spec": {
    "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
    "template": {"spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "data"}},
                                      {"persistentVolumeClaim": {"claimName": "logs"}}]}}}})"));
  EXPECT_EQ(*list, json(R"([{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": "logs"}])"));
}

TEST(Interpreter_Dependencies, of_an_ingress_cannot_be_told_when_a_secret_has_no_name) {
  NativeInterpreter native;
  EXPECT_TRUE(native
                  .dependencies(object("networking.k8s.io/v1", "Ingress",
                                       R"({"spec": {"tls": [{"secretName": "s"}]}})"))
                  .ok());
  EXPECT_FALSE(
      native.dependencies(object("networking.k8s.io/v1", "Ingress", R"({"spec": {"tls": [{}]}})")).ok());
}

TEST(Interpreter_Dependencies, of_a_service_import_are_the_derived_service_and_its_slices) {
  auto list = NativeInterpreter().dependencies(object("multicluster.x-k8s.io/v1alpha1", "ServiceImport",
                                                      R"({"metadata": {"name": "web", "namespace": "n"}})"));
  EXPECT_EQ(*list, json(R"([
    {"apiVersion": "v1", "kind": "Service", "namespace": "n", "name": "derived-web"},
    {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "namespace": "n",
     "labelSelector": {"matchLabels": {"kubernetes.io/service-name": "derived-web"}}}])"));
}

}  // namespace
}  // namespace flotilla::interpreter::test
