// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/search/search.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

std::string read(std::string_view path) {
  const auto native = read_native_path(read_request("GET", path, Query()).parts);
  if (!native) return std::to_string(http_code(native.error())) + " " + native.error().message();
  return native->group + "|" + native->version + "|" + native->resource + "|" + native->ns + "|" +
         native->name;
}

TEST(ApiServer_Search, a_native_path_names_a_resource) {
  EXPECT_EQ(read("/api/v1/pods"), "|v1|pods||");
  EXPECT_EQ(read("/api/v1/nodes/n"), "|v1|nodes||n");
  EXPECT_EQ(read("/apis/apps/v1/deployments"), "apps|v1|deployments||");
  EXPECT_EQ(read("/apis/apps/v1/namespaces/a/deployments/d"), "apps|v1|deployments|a|d");
  EXPECT_EQ(read("/api/v1/namespaces"), "|v1|namespaces||");
  EXPECT_EQ(read("/api/v1/namespaces/a"), "|v1|namespaces|a|a");
}

TEST(ApiServer_Search, what_is_no_resource_is_said_in_karmadas_words) {
  EXPECT_EQ(read("/version"), "500 k8s native Request URL(version) is not a resource request");
  EXPECT_EQ(read("/apis/apps/v1"), "500 k8s native Request URL(apis/apps/v1) is not a resource request");
  EXPECT_EQ(read("/api/v1/namespaces/a/pods/p/log"),
            "500 invalid request parts([pods p log]) for k8s native request URL");
}

}  // namespace
}  // namespace flotilla::apiserver
