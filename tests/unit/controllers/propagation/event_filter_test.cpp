// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/event_filter.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;

Json object(std::string_view metadata, std::string_view rest = "{}") {
  Json text = *Json::parse(rest);
  text["metadata"] = *Json::parse(metadata);
  return text;
}

TEST(Controllers_EventFilter, status_and_bookkeeping_are_no_change) {
  EXPECT_FALSE(specification_changed(
      object(R"({"resourceVersion":"1"})"),
      object(R"({"resourceVersion":"2","managedFields":[1]})", R"({"status":{"x":1}})")));
  EXPECT_TRUE(specification_changed(object(R"({"generation":1})"), object(R"({"generation":2})")));
}

TEST(Controllers_EventFilter, a_claim_is_karmadas_own_change) {
  const Json before = object("{}");
  EXPECT_TRUE(
      changed_by_karmada(before, object(R"({"labels":{"propagationpolicy.karmada.io/permanent-id":"x"}})")));
  EXPECT_FALSE(changed_by_karmada(before, object(R"({"labels":{"app":"x"}})")));
  EXPECT_FALSE(changed_by_karmada(
      before, object(R"({"labels":{"namespace.karmada.io/skip-auto-propagation":"true"}})")));
  EXPECT_FALSE(changed_by_karmada(before, object("{}", R"({"spec":{"a":1}})")));
}

TEST(Controllers_EventFilter, the_control_planes_own_kinds_are_skipped) {
  const SkippedApis apis = *SkippedApis::parse("");
  EXPECT_TRUE(apis.contains("policy.karmada.io", "v1alpha1", "PropagationPolicy"));
  EXPECT_TRUE(apis.contains("", "v1", "Event"));
  EXPECT_TRUE(apis.contains("coordination.k8s.io", "v1", "Lease"));
  EXPECT_FALSE(apis.contains("coordination.k8s.io", "v1beta1", "Lease"));
  EXPECT_FALSE(apis.contains("", "v1", "ConfigMap"));
  EXPECT_FALSE(apis.contains("search.karmada.io", "v1alpha1", "ResourceRegistry"));
}

TEST(Controllers_EventFilter, the_operator_adds_groups_versions_and_kinds) {
  const SkippedApis apis =
      *SkippedApis::parse("apps;batch/v1;networking.k8s.io/v1/Ingress,IngressClass;v1/Secret,Pod");
  EXPECT_TRUE(apis.contains("apps", "v1", "Deployment"));
  EXPECT_TRUE(apis.contains("batch", "v1", "Job"));
  EXPECT_FALSE(apis.contains("batch", "v1beta1", "CronJob"));
  EXPECT_TRUE(apis.contains("networking.k8s.io", "v1", "IngressClass"));
  EXPECT_FALSE(apis.contains("networking.k8s.io", "v1", "NetworkPolicy"));
  EXPECT_TRUE(apis.contains("", "v1", "Pod"));
  EXPECT_FALSE(apis.contains("", "v1", "Service"));
}

TEST(Controllers_EventFilter, a_token_of_four_parts_is_refused) {
  EXPECT_EQ(SkippedApis::parse("apps;a/b/c/d").error().message(),
            "parse --skipped-propagating-apis invalid parameter: a/b/c/d");
}

}  // namespace
}  // namespace flotilla::controllers
