// SPDX-License-Identifier: Apache-2.0
#include "core/api/resource_selector.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

MatchPrecision match(std::string_view selector) {
  static const Json kObject = *Json::parse(R"({"apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "nginx", "namespace": "default", "labels": {"app": "nginx"}}})");
  return ResourceSelector(*Json::parse(selector)).match(kObject);
}

TEST(Api_ResourceSelector, a_kind_alone_matches_all_of_it) {
  EXPECT_EQ(match(R"({"apiVersion": "apps/v1", "kind": "Deployment"})"), MatchPrecision::All);
  EXPECT_EQ(match(R"({"apiVersion": "apps/v1beta1", "kind": "Deployment"})"), MatchPrecision::None);
  EXPECT_EQ(match(R"({"apiVersion": "apps/v1", "kind": "StatefulSet"})"), MatchPrecision::None);
}

TEST(Api_ResourceSelector, a_name_decides_alone) {
  EXPECT_EQ(match(R"({"apiVersion": "apps/v1", "kind": "Deployment", "name": "nginx",
                      "labelSelector": {"matchLabels": {"app": "other"}}})"),
            MatchPrecision::Name);
  EXPECT_EQ(match(R"({"apiVersion": "apps/v1", "kind": "Deployment", "name": "other", "labelSelector": {}})"),
            MatchPrecision::None);
}

TEST(Api_ResourceSelector, an_empty_label_selector_counts_as_one) {
  EXPECT_EQ(match(R"({"apiVersion": "apps/v1", "kind": "Deployment", "labelSelector": {}})"),
            MatchPrecision::Labels);
  EXPECT_EQ(match(R"({"apiVersion": "apps/v1", "kind": "Deployment",
                      "labelSelector": {"matchLabels": {"app": "x"}}})"),
            MatchPrecision::None);
}

TEST(Api_ResourceSelector, a_namespace_must_be_that_of_the_object) {
  EXPECT_EQ(match(R"({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "default"})"),
            MatchPrecision::All);
  EXPECT_EQ(match(R"({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "other"})"),
            MatchPrecision::None);
}

TEST(Api_ResourceSelector, the_most_precise_of_several_counts) {
  const Json list = *Json::parse(R"([{"apiVersion": "v1", "kind": "Pod"}, {"apiVersion": "v1", "kind": "Pod",
    "name": "a"}])");
  const Json pod = *Json::parse(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}})");
  EXPECT_EQ(match_any(resource_selectors(list), pod), MatchPrecision::Name);
  EXPECT_EQ(match_any({}, pod), MatchPrecision::None);
}

}  // namespace
}  // namespace flotilla::api
