// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/api/defaulting/defaulting.hpp"
#include "core/api/validation/validation.hpp"

namespace flotilla::api {
namespace {

// The errors of a pod with one sound container and these further parts.
std::string errors_of(std::string_view container, std::string_view spec = "") {
  const Resource& pods = *Registry::builtin().find_resource("", "v1", "pods");
  const std::string text =
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"n"},"spec":{"containers":[{)"
      R"("name":"c","image":"i")" +
      std::string(container) + "}]" + std::string(spec) + "}}";
  auto object = Json::parse(text);
  EXPECT_TRUE(object.ok()) << text;
  if (!object) return "no JSON";
  set_defaults(pods, *object);
  std::string found;
  const FieldErrors errors = validate(pods, *object, Json(), "");
  for (const Cause& one : errors.causes())
    found += (found.empty() ? "" : " | ") + one.field + ": " + one.message;
  return found;
}

TEST(Api_PodValidation, accepts_what_is_sound) {
  EXPECT_EQ(errors_of(""), "");
  EXPECT_EQ(
      errors_of(
          R"(,"livenessProbe":{"httpGet":{"port":"http","path":"/x"}},"resources":{"limits":{"cpu":1}})",
          R"(,"dnsPolicy":"None","dnsConfig":{"nameservers":["1.1.1.1"]})"),
      "");
}

TEST(Api_PodValidation, looks_into_probes) {
  EXPECT_EQ(errors_of(R"(,"readinessProbe":{"httpGet":{"path":"/","port":0}})"),
            "spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, "
            "inclusive");
  EXPECT_EQ(errors_of(R"(,"livenessProbe":{"exec":{}})"),
            "spec.containers[0].livenessProbe.exec.command: Required value");
  EXPECT_EQ(
      errors_of(R"(,"readinessProbe":{"tcpSocket":{"port":1},"terminationGracePeriodSeconds":5})"),
      "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set "
      "for readinessProbes");
}

TEST(Api_PodValidation, looks_into_security_contexts) {
  EXPECT_EQ(
      errors_of(R"(,"securityContext":{"runAsUser":-1})"),
      "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, "
      "inclusive");
  EXPECT_EQ(
      errors_of(R"(,"securityContext":{"seccompProfile":{"type":"Localhost"}})"),
      "spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when "
      "seccomp type is Localhost");
  EXPECT_EQ(
      errors_of("", R"(,"hostPID":true,"shareProcessNamespace":true)"),
      "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID "
      "cannot both be enabled");
}

TEST(Api_PodValidation, looks_into_volumes_and_their_mounts) {
  EXPECT_EQ(
      errors_of(R"(,"volumeMounts":[{"name":"v","mountPath":"/a"}])",
                R"(,"volumes":[{"name":"v","configMap":{}}])"),
      "spec.volumes[0].configMap.name: Required value | spec.containers[0].volumeMounts[0].name: Not found: "
      "\"v\"");
  EXPECT_EQ(errors_of(R"(,"volumeMounts":[{"name":"v","mountPath":"/a","subPath":"../x"}])",
                      R"(,"volumes":[{"name":"v","emptyDir":{}}])"),
            "spec.containers[0].volumeMounts.subPath: Invalid value: \"../x\": must not contain '..'");
  EXPECT_EQ(
      errors_of(
          "",
          R"(,"serviceAccountName":"s","volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t","expirationSeconds":5}}]}}])"),
      "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not "
      "specify a duration less than 10 minutes");
}

TEST(Api_PodValidation, looks_into_scheduling) {
  EXPECT_EQ(
      errors_of(
          "",
          R"(,"topologySpreadConstraints":[{"maxSkew":0,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"}])"),
      "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero");
  EXPECT_EQ(
      errors_of("", R"(,"tolerations":[{"key":"a","operator":"Exists","value":"x"}])"),
      "spec.tolerations[0].operator: Invalid value: \"x\": value must be empty when `operator` is 'Exists'");
  EXPECT_EQ(errors_of("", R"(,"dnsPolicy":"None")"),
            "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None");
}

TEST(Api_PodValidation, knows_sidecars) {
  EXPECT_EQ(
      errors_of(
          "",
          R"(,"initContainers":[{"name":"s","image":"i","restartPolicy":"Always","startupProbe":{"tcpSocket":{"port":1}}}])"),
      "");
  EXPECT_EQ(
      errors_of("",
                R"(,"initContainers":[{"name":"s","image":"i","startupProbe":{"tcpSocket":{"port":1}}}])"),
      "spec.initContainers[0].startupProbe: Forbidden: may not be set for init containers");
}

}  // namespace
}  // namespace flotilla::api
