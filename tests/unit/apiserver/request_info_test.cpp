// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/request_info.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

RequestInfo get(std::string_view path, std::string_view query = {}) {
  return read_request("GET", path, Query(query));
}

TEST(ApiServer_RequestInfo, finds_namespace_resource_name_and_subresource) {
  const RequestInfo info = get("/apis/apps/v1/namespaces/shop/deployments/web/scale");
  EXPECT_TRUE(info.is_resource);
  EXPECT_EQ(info.group, "apps");
  EXPECT_EQ(info.version, "v1");
  EXPECT_EQ(info.ns, "shop");
  EXPECT_EQ(info.resource, "deployments");
  EXPECT_EQ(info.name, "web");
  EXPECT_EQ(info.subresource, "scale");
  EXPECT_EQ(info.verb, "get");
}

TEST(ApiServer_RequestInfo, takes_a_namespace_and_its_subresources_for_an_object) {
  const RequestInfo object = get("/api/v1/namespaces/shop");
  EXPECT_EQ(object.resource, "namespaces");
  EXPECT_EQ(object.name, "shop");
  const RequestInfo finalize = get("/api/v1/namespaces/shop/finalize");
  EXPECT_EQ(finalize.resource, "namespaces");
  EXPECT_EQ(finalize.subresource, "finalize");
}

TEST(ApiServer_RequestInfo, tells_lists_from_watches) {
  EXPECT_EQ(get("/api/v1/pods").verb, "list");
  EXPECT_EQ(get("/api/v1/pods", "watch=1").verb, "watch");
  EXPECT_EQ(get("/api/v1/pods", "watch").verb, "watch");
  EXPECT_EQ(get("/api/v1/pods", "watch=false").verb, "list");
  EXPECT_EQ(get("/api/v1/watch/namespaces/n/pods/p").verb, "watch");
  EXPECT_EQ(read_request("DELETE", "/api/v1/namespaces/n/pods", Query()).verb, "deletecollection");
}

TEST(ApiServer_RequestInfo, leaves_discovery_paths_to_discovery) {
  EXPECT_FALSE(get("/api/v1").is_resource);
  EXPECT_FALSE(get("/apis/apps/v1").is_resource);
  EXPECT_EQ(get("/healthz").verb, "get");
}

TEST(ApiServer_RequestInfo, judges_a_list_of_one_name_by_that_name) {
  EXPECT_EQ(get("/api/v1/namespaces/n/pods", "fieldSelector=metadata.name%3Dp").authorization_name, "p");
}

TEST(ApiServer_Query, reads_numbers_as_go_does) {
  EXPECT_EQ(**Query("limit=5").integer("limit"), 5);
  EXPECT_FALSE((*Query("").integer("limit")).has_value());
  EXPECT_EQ(Query("limit=abc").integer("limit").error().message(),
            "strconv.ParseInt: parsing \"abc\": invalid syntax");
}

TEST(ApiServer_Query, drops_pairs_that_do_not_decode) {
  EXPECT_FALSE(Query("a=%ZZ&b=1").has("a"));
  EXPECT_EQ(Query("a=%ZZ&b=x+y").get("b"), "x y");
}

}  // namespace
}  // namespace flotilla::apiserver
