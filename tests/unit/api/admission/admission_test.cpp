// SPDX-License-Identifier: Apache-2.0
#include "core/api/admission/admission.hpp"

#include "tests/unit/api/admission/world.hpp"

namespace flotilla::api::test {
namespace {

TEST(Api_Admission, passes_other_kinds_unchanged) {
  Json pod = of_kind("v1", "Pod", "{}");
  EXPECT_FALSE(is_admitted_kind("v1", "Pod"));
  EXPECT_FALSE(is_admitted_kind("example.com/v1", "Work"));
  EXPECT_EQ(completed(pod), pod);
  EXPECT_EQ(complaint(pod), "");
}

TEST(Api_Admission, reviews_what_it_completed) {
  FakeWorld world;
  Json policy = of_kind(
      "policy.karmada.io/v1alpha1", "PropagationPolicy",
      R"({"metadata": {"name": "p", "namespace": "home"}, "spec": {"resourceSelectors": [{"kind": "Pod"}]}})");
  auto admitted = admit({AdmissionVerb::Create, "home", policy, Json()}, world, {});
  ASSERT_TRUE(admitted.ok());
  EXPECT_EQ(admitted->find_pointer("/spec/resourceSelectors/0/namespace")->as_string(), "home");
}

TEST(Api_Admission, keeps_protected_objects) {
  FakeWorld world;
  Json guarded =
      json(R"({"metadata": {"labels": {"resourcetemplate.karmada.io/deletion-protected": "Always"}}})");
  Json plain =
      json(R"({"metadata": {"labels": {"resourcetemplate.karmada.io/deletion-protected": "Never"}}})");
  auto kept = admit({AdmissionVerb::Delete, "home", Json(), guarded}, world, {});
  ASSERT_FALSE(kept.ok());
  EXPECT_EQ(kept.error().code(), Code::Forbidden);
  EXPECT_TRUE(admit({AdmissionVerb::Delete, "home", Json(), plain}, world, {}).ok());
}

}  // namespace
}  // namespace flotilla::api::test
