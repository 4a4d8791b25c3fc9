// SPDX-License-Identifier: Apache-2.0
#include "core/http/url.hpp"

#include <gmock/gmock.h>

namespace flotilla::http {
namespace {

using ::testing::ElementsAre;

TEST(Url, reads_hosts_ports_and_prefixes) {
  const Url url = *Url::parse("https://user:p%40ss@example.org:6443/k8s/clusters/c1/?x=1#frag");
  EXPECT_EQ(url.host, "example.org");
  EXPECT_EQ(url.port, 6443);
  EXPECT_EQ(url.path, "/k8s/clusters/c1");
  EXPECT_EQ(url.query, "x=1");
  EXPECT_EQ(url.user, "user");
  EXPECT_EQ(url.password, "p@ss");
  EXPECT_EQ(Url::parse("https://[::1]:8443")->authority(), "[::1]:8443");
  EXPECT_EQ(Url::parse("https://a")->port, 443);
  EXPECT_EQ(Url::parse("http://a")->authority(), "a");
}

TEST(Url, refuses_what_cannot_be_reached) {
  for (const char* text :
       {"", "a:1", "ftp://a", "https://", "https://a:0", "https://a:70000", "https://[::1"}) {
    EXPECT_FALSE(Url::parse(text).ok()) << text;
  }
}

TEST(Url, encodes_and_decodes) {
  EXPECT_EQ(percent_encode("a/b c=%"), "a%2Fb%20c%3D%25");
  EXPECT_EQ(*percent_decode("a%2Fb%20c"), "a/b c");
  EXPECT_EQ(*percent_decode("a+b", true), "a b");
  EXPECT_FALSE(percent_decode("%zz").ok());
  EXPECT_FALSE(percent_decode("%2").ok());
}

TEST(Url, keeps_repeated_keys_of_a_query) {
  const Query query = Query::parse("a=1&b&a=2&c=x%3Dy+z&&watch=true&pretty=false");
  EXPECT_THAT(query.all("a"), ElementsAre("1", "2"));
  EXPECT_EQ(query.get("b", "none"), "");
  EXPECT_EQ(query.get("d", "none"), "none");
  EXPECT_EQ(query.get("c"), "x=y z");
  EXPECT_TRUE(query.flag("watch"));
  EXPECT_TRUE(query.flag("b"));
  EXPECT_FALSE(query.flag("pretty"));
  EXPECT_FALSE(query.flag("absent"));
}

TEST(Url, splits_paths_after_the_slashes_not_the_escapes) {
  EXPECT_THAT(*path_segments("/api/v1//pods/a%2Fb"), ElementsAre("api", "v1", "pods", "a/b"));
  EXPECT_FALSE(path_segments("/a/%").ok());
  EXPECT_EQ(join_path("/p/", "/x?y=1"), "/p/x?y=1");
  EXPECT_EQ(join_path("", "x"), "/x");
}

}  // namespace
}  // namespace flotilla::http
