// SPDX-License-Identifier: Apache-2.0
#include "core/api/limits/pod_security.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> faults(PodSecurityLevel level, std::string_view spec) {
  const auto json = Json::parse(spec);
  EXPECT_TRUE(json.ok());
  static const Json kNone;
  return pod_security_faults(level, kNone, *json);
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

}  // namespace
}  // namespace flotilla::api
