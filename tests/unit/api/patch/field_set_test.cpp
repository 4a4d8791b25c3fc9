// SPDX-License-Identifier: Apache-2.0
#include "core/api/patch/field_set.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

FieldSet parse(std::string_view text) {
  return FieldSet::from_json(*Json::parse(text));
}

constexpr std::string_view kContainers =
    R"({"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:name":{}}},"f:replicas":{}}})";

TEST(Api_FieldSet, reads_and_writes_fields_v1) {
  EXPECT_EQ(parse(kContainers).to_json().dump(), kContainers);
}

TEST(Api_FieldSet, takes_away_exact_members_only) {
  FieldSet set = parse(R"({"f:a":{".":{},"f:b":{}}})");
  set.remove(FieldSet::of({{"a"}}));
  EXPECT_EQ(set.to_json().dump(), R"({"f:a":{"f:b":{}}})");
}

TEST(Api_FieldSet, takes_away_everything_below_a_member) {
  FieldSet set = parse(kContainers);
  set.remove_with_descendants(FieldSet::of({{"spec"}}));
  EXPECT_TRUE(set.empty());
}

TEST(Api_FieldSet, intersects_members) {
  const FieldSet both =
      parse(R"({"f:a":{},"f:b":{"f:c":{}}})").intersection(parse(R"({"f:b":{"f:c":{},"f:d":{}}})"));
  EXPECT_EQ(both.to_json().dump(), R"({"f:b":{"f:c":{}}})");
}

TEST(Api_FieldSet, prints_paths) {
  EXPECT_EQ(
      parse(kContainers).paths(),
      (std::vector<std::string>{".spec.replicas", ".spec.containers[name=\"c\"]",
                                ".spec.containers[name=\"c\"].image", ".spec.containers[name=\"c\"].name"}));
}

}  // namespace
}  // namespace flotilla::api
