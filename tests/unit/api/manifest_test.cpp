// SPDX-License-Identifier: Apache-2.0
#include "core/api/manifest.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

Json pruned(std::string_view text, JobTtl ttl = JobTtl::Keep) {
  Json manifest = *Json::parse(text);
  prune_manifest(manifest, ttl);
  return manifest;
}

TEST(Api_Manifest, loses_what_only_its_own_copy_means) {
  EXPECT_EQ(
      pruned(
          R"({"kind": "Foo", "metadata": {"name": "a", "uid": "1", "resourceVersion": "2", "finalizers": ["x"]},
                       "status": {"a": 1}})"),
      *Json::parse(R"({"kind": "Foo", "metadata": {"name": "a"}})"));
}

TEST(Api_Manifest, of_a_job_keeps_a_selector_chosen_by_hand) {
  std::string_view job = R"({"kind": "Job", "spec": {"manualSelector": true, "ttlSecondsAfterFinished": 5,
                             "selector": {"matchLabels": {"controller-uid": "1"}}}})";
  Json kept = pruned(job);
  Json removed = pruned(job, JobTtl::Remove);
  EXPECT_EQ(kept, *Json::parse(job));
  EXPECT_FALSE(removed["spec"].contains("ttlSecondsAfterFinished"));
}

TEST(Api_Manifest, of_a_service_keeps_only_the_address_none) {
  EXPECT_FALSE(
      pruned(R"({"kind": "Service", "spec": {"clusterIP": "10.0.0.1"}})")["spec"].contains("clusterIP"));
  EXPECT_TRUE(pruned(R"({"kind": "Service", "spec": {"clusterIP": "None"}})")["spec"].contains("clusterIP"));
}

TEST(Api_Manifest, lists_its_own_records_among_the_managed_keys) {
  Json manifest =
      *Json::parse(R"({"metadata": {"labels": {"b": "1", "a": "1"}, "annotations": {"note": "x"}}})");
  record_managed_keys(manifest, "id");
  const Json& annotations = manifest["metadata"]["annotations"];
  EXPECT_EQ(
      annotations["resourcetemplate.karmada.io/managed-annotations"].as_string(),
      "note,resourcetemplate.karmada.io/managed-annotations,resourcetemplate.karmada.io/managed-labels");
  EXPECT_EQ(annotations["resourcetemplate.karmada.io/managed-labels"].as_string(),
            "a,b,work.karmada.io/permanent-id");
}

}  // namespace
}  // namespace flotilla::api
