// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/aggregation/aggregator.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

Remotes remotes() {
  Remotes out;
  out.versions.push_back(RemoteVersion::read(*Json::parse(
      R"({"metadata":{"name":"v1.ext.example.com"},"spec":{"group":"ext.example.com","version":"v1","service":{"namespace":"n","name":"s"}},
          "status":{"conditions":[{"type":"Available","status":"True"}]}})")));
  return out;
}

bool takes(std::string_view path) {
  return remotes().answering(read_request("GET", path, Query(""))) != nullptr;
}

TEST(ApiServer_Aggregator, reads_what_the_api_service_says) {
  const auto remote = remotes().versions.front();
  EXPECT_EQ(remote->service_name, "s");
  EXPECT_EQ(remote->port, 443);
  EXPECT_TRUE(remote->available);
}

TEST(ApiServer_Aggregator, takes_its_group_version_and_nothing_else) {
  EXPECT_TRUE(takes("/apis/ext.example.com/v1/namespaces/x/things/y/status"));
  EXPECT_TRUE(takes("/apis/ext.example.com/v1"));
  EXPECT_TRUE(takes("/openapi/v3/apis/ext.example.com/v1"));
  EXPECT_FALSE(takes("/apis/ext.example.com/v2/things"));
  EXPECT_FALSE(takes("/apis/ext.example.com"));
  EXPECT_FALSE(takes("/api/v1/pods"));
  EXPECT_FALSE(takes("/openapi/v3"));
}

}  // namespace
}  // namespace flotilla::apiserver
