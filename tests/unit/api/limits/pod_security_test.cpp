// SPDX-License-Identifier: Apache-2.0
#include "core/api/limits/pod_security.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> faults(PodSecurityLevel level, std::string_view spec,
                                int version = kNewestPodSecurity, std::string_view metadata = "null") {
  const auto json = Json::parse(spec);
  EXPECT_TRUE(json.ok());
  return pod_security_faults(level, version, *Json::parse(metadata), *json);
}

constexpr auto kBaseline = PodSecurityLevel::Baseline;
constexpr auto kRestricted = PodSecurityLevel::Restricted;

TEST(Api_PodSecurity, an_ordinary_pod_meets_the_baseline) {
  EXPECT_THAT(faults(kBaseline, R"({"containers":[{"name":"a","image":"nginx"}]})"), IsEmpty());
}

TEST(Api_PodSecurity, the_baseline_names_what_it_forbids) {
  EXPECT_THAT(
      faults(kBaseline, R"({"hostNetwork":true,"hostPID":true,
      "volumes":[{"name":"b","hostPath":{}},{"name":"a","hostPath":{}}],
      "containers":[{"name":"x","securityContext":{"privileged":true,"capabilities":{"add":["NET_ADMIN","CHOWN"]}},
        "ports":[{"hostPort":80}]},{"name":"y","securityContext":{"privileged":true}}]})"),
      ElementsAre("non-default capabilities (container \"x\" must not include \"NET_ADMIN\" in "
                  "securityContext.capabilities.add)",
                  "host namespaces (hostNetwork=true, hostPID=true)",
                  "hostPath volumes (volumes \"b\", \"a\")", "hostPort (container \"x\" uses hostPort 80)",
                  "privileged (containers \"x\", \"y\" must not set securityContext.privileged=true)"));
}

TEST(Api_PodSecurity, restricted_wants_to_be_asked_nicely) {
  EXPECT_THAT(faults(kRestricted,
                     R"({"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},
      "containers":[{"name":"a","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]})"),
              IsEmpty());
  EXPECT_THAT(
      faults(kRestricted, R"({"containers":[{"name":"a"}]})"),
      ElementsAre(
          "allowPrivilegeEscalation != false (container \"a\" must set "
          "securityContext.allowPrivilegeEscalation=false)",
          "unrestricted capabilities (container \"a\" must set securityContext.capabilities.drop=[\"ALL\"])",
          "runAsNonRoot != true (pod or container \"a\" must set securityContext.runAsNonRoot=true)",
          "seccompProfile (pod or container \"a\" must set securityContext.seccompProfile.type to "
          "\"RuntimeDefault\" or \"Localhost\")"));
}

TEST(Api_PodSecurity, templates_are_found_where_kinds_keep_them) {
  const auto job =
      Json::parse(R"({"spec":{"jobTemplate":{"spec":{"template":{"spec":{"containers":[]}}}}}})");
  EXPECT_NE(pod_template_of("batch", "cronjobs", *job).spec, nullptr);
  EXPECT_EQ(pod_template_of("batch", "jobs", *job).spec, nullptr);
  EXPECT_EQ(pod_template_of("", "configmaps", *job).spec, nullptr);
}

TEST(Api_PodSecurity, an_older_version_asks_what_it_asked_then) {
  const char* const spec =
      R"({"securityContext":{"runAsNonRoot":true,"sysctls":[{"name":"net.ipv4.tcp_rmem"}],
      "seLinuxOptions":{"type":"container_engine_t"}},
      "containers":[{"name":"a","securityContext":{"allowPrivilegeEscalation":false,"runAsUser":0}}]})";
  EXPECT_THAT(faults(kBaseline, spec), IsEmpty());
  EXPECT_THAT(faults(kBaseline, spec, 30),
              ElementsAre("seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "
                          "\"container_engine_t\")",
                          "forbidden sysctls (net.ipv4.tcp_rmem)"));
  EXPECT_EQ(faults(kRestricted, spec).size(), 3u);      // capabilities, runAsUser, seccomp
  EXPECT_EQ(faults(kRestricted, spec, 22).size(), 4u);  // SELinux, sysctls, capabilities, seccomp
  EXPECT_EQ(faults(kRestricted, spec, 18).size(), 2u);
}

TEST(Api_PodSecurity, before_seccomp_had_a_field_it_had_annotations) {
  const char* const metadata = R"({"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"unconfined"}})";
  EXPECT_THAT(faults(kBaseline, R"({"containers":[]})", 18, metadata),
              ElementsAre("seccompProfile (forbidden annotation "
                          "seccomp.security.alpha.kubernetes.io/pod=\"unconfined\")"));
  EXPECT_THAT(faults(kBaseline, R"({"containers":[]})", 19, metadata), IsEmpty());
}

TEST(Api_PodSecurity, windows_is_let_off_from_1_25_on) {
  const char* const spec = R"({"os":{"name":"windows"},"securityContext":{"runAsNonRoot":true},
      "containers":[{"name":"a"}]})";
  EXPECT_THAT(faults(kRestricted, spec, 25), IsEmpty());
  EXPECT_EQ(faults(kRestricted, spec, 24).size(), 3u);
}

TEST(Api_PodSecurity, knows_the_field_of_app_armor) {
  EXPECT_THAT(
      faults(kBaseline, R"({"securityContext":{"appArmorProfile":{"type":"Unconfined"}},"containers":[]})"),
      ElementsAre("forbidden AppArmor profile (pod must not set AppArmor profile type to "
                  "\"Unconfined\")"));
}

TEST(Api_PodSecurity, reads_versions) {
  EXPECT_EQ(pod_security_version("latest"), kNewestPodSecurity);
  EXPECT_EQ(pod_security_version("v1.24"), 24);
  EXPECT_EQ(pod_security_version("v1.99"), kNewestPodSecurity);
  for (const char* text : {"", "1.24", "v2.0", "v1.", "v1.024", "v1.x", "v1.-1"})
    EXPECT_EQ(pod_security_version(text), std::nullopt) << text;
}

}  // namespace
}  // namespace flotilla::api
