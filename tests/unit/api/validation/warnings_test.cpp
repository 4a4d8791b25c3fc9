// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/warnings.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

std::vector<std::string> of(std::string_view group, std::string_view version, std::string_view resource,
                            std::string_view object) {
  auto parsed = Json::parse(object);
  EXPECT_TRUE(parsed.ok()) << object;
  return object_warnings(*Registry::builtin().find_resource(group, version, resource), *parsed, Json(), "");
}

using Texts = std::vector<std::string>;

TEST(Api_Warnings, name_old_labels_wherever_nodes_are_chosen) {
  EXPECT_EQ(
      of("", "v1", "pods",
         R"({"spec":{"topologySpreadConstraints":[{"topologyKey":"beta.kubernetes.io/arch"}]}})"),
      Texts{
          "spec.topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/arch is deprecated since v1.14; "
          "use \"kubernetes.io/arch\" instead"});
  EXPECT_EQ(
      of("node.k8s.io", "v1", "runtimeclasses",
         R"({"scheduling":{"nodeSelector":{"beta.kubernetes.io/os":"x"}}})"),
      Texts{
          "scheduling.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" "
          "instead"});
}

TEST(Api_Warnings, reach_into_templates) {
  EXPECT_EQ(
      of("apps", "v1", "deployments",
         R"({"spec":{"template":{"spec":{"containers":[{"resources":{"limits":{"memory":"1500m"}},
               "env":[{"name":"A","value":"1"},{"name":"A","value":"2"},{"name":"B"},{"name":"B","value":"$(B)x"}]}]}}}})"),
      (Texts{"spec.template.spec.containers[0].resources.limits[memory]: fractional byte value \"1500m\" is "
             "invalid, must be an integer",
             "spec.template.spec.containers[0].env[1].name: duplicate name \"A\""}));
}

TEST(Api_Warnings, name_formats_that_nobody_checks) {
  EXPECT_EQ(
      of("apiextensions.k8s.io", "v1", "customresourcedefinitions",
         R"({"spec":{"versions":[{"schema":{"openAPIV3Schema":{"properties":{"a":{"format":"odd"},"b":{"format":"uuid"}}}}}]}})"),
      Texts{"unrecognized format \"odd\""});
}

}  // namespace
}  // namespace flotilla::api
