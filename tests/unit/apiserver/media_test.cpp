// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/media.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

TEST(ApiServer_Media, answers_json_when_nothing_is_asked) {
  EXPECT_EQ(negotiate("", {})->encoding, Encoding::Json);
  EXPECT_EQ(negotiate("*/*", {})->encoding, Encoding::Json);
}

TEST(ApiServer_Media, prefers_the_better_quality) {
  EXPECT_EQ(negotiate("application/yaml;q=0.5, application/json;q=0.9", {})->encoding, Encoding::Json);
  EXPECT_EQ(negotiate("application/yaml", {})->encoding, Encoding::Yaml);
}

TEST(ApiServer_Media, reads_the_shape_that_kubectl_asks_for) {
  const auto media = negotiate(
      "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io", {});
  EXPECT_EQ(media->shape, Shape::Table);
  EXPECT_EQ(media->table_version, "v1");
}

TEST(ApiServer_Media, passes_over_protobuf_to_what_it_can_write) {
  const auto media = negotiate("application/vnd.kubernetes.protobuf,application/json", {});
  EXPECT_EQ(media->encoding, Encoding::Json);
}

TEST(ApiServer_Media, refuses_in_two_wordings) {
  EXPECT_EQ(negotiate("text/csv", {}).error().message(),
            "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
            "application/vnd.kubernetes.protobuf");
  EXPECT_EQ(negotiate("application/json;as=Foo;v=v1;g=meta.k8s.io", {}).error().message(),
            "only the following media types are accepted: application/json, application/yaml, "
            "application/vnd.kubernetes.protobuf");
}

}  // namespace
}  // namespace flotilla::apiserver
