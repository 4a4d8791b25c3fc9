// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/yaml_text.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

TEST(ApiServer_YamlText, writes_objects_as_kubernetes_does) {
  const auto value = api::Json::parse(
      R"({"data":{"a":"true","b":"1","c":"x: y","d":"l1\nl2\n","e":""},"empty":{},"list":[{"k":"v","m":[]},"s"],"t":"2024-01-02T03:04:05Z","z":null})");
  EXPECT_EQ(yaml_text(*value),
            "data:\n  a: \"true\"\n  b: \"1\"\n  c: 'x: y'\n  d: |\n    l1\n    l2\n  e: \"\"\nempty: "
            "{}\nlist:\n- k: v\n  m: "
            "[]\n- s\nt: \"2024-01-02T03:04:05Z\"\nz: null\n");
}

}  // namespace
}  // namespace flotilla::apiserver
