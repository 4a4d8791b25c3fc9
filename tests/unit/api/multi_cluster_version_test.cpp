// SPDX-License-Identifier: Apache-2.0
#include "core/api/multi_cluster_version.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

TEST(Api_MultiClusterVersion, reads_what_it_writes) {
  MultiClusterVersion version;
  version.set("member2", "7");
  version.set("member1", "5");
  EXPECT_EQ(version.encode(), "eyJtZW1iZXIxIjoiNSIsIm1lbWJlcjIiOiI3In0");
  EXPECT_EQ(MultiClusterVersion::decode(version.encode()).of("member2"), "7");
  EXPECT_EQ(MultiClusterVersion::decode(version.encode()).of("member3"), "");
}

TEST(Api_MultiClusterVersion, asks_for_nothing_where_it_cannot_be_read) {
  for (std::string_view text : {"", "!!", "WzFd", "123"}) {
    EXPECT_TRUE(MultiClusterVersion::decode(text).versions().empty()) << text;
    EXPECT_EQ(MultiClusterVersion::decode(text).encode(), "");
  }
  EXPECT_EQ(MultiClusterVersion::decode("0").of("any"), "0");
}

TEST(Api_MultiClusterContinue, reads_what_it_writes_and_ends_without_a_cluster) {
  MultiClusterContinue token{"x", "member1", "abc=="};
  EXPECT_EQ(MultiClusterContinue::decode(token.encode()).token, "abc==");
  EXPECT_EQ(MultiClusterContinue().encode(), "");
  EXPECT_EQ(MultiClusterContinue::decode("%%%").cluster, "");
}

}  // namespace
}  // namespace flotilla::api
