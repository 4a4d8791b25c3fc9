// SPDX-License-Identifier: Apache-2.0
#include "core/api/json_path.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

const Json& pods() {
  static const Json list = *Json::parse(R"({"items": [
    {"name": "a", "n": 1, "labels": {"x.y/z": "v"}, "state": {"ready": true}},
    {"name": "b", "n": 2, "labels": {}}, {"name": "c", "n": 3}], "kind": "List"})");
  return list;
}

std::string render(std::string_view path) {
  auto parsed = JsonPath::parse(path);
  if (!parsed) return "parse: " + parsed.error().message();
  auto text = parsed->render(pods());
  return text ? *text : "find: " + text.error().message();
}

TEST(Api_JsonPath, follows_members_and_elements) {
  EXPECT_EQ(render("kind is {.kind}"), "kind is List");
  EXPECT_EQ(render("{ $.items[0].name }{@.items[-1].name}"), "ac");
  EXPECT_EQ(render("{.items[0].labels['x.y/z']}"), "v");
  EXPECT_EQ(render(R"({.items[0].labels.x\.y/z})"), "v");
}

TEST(Api_JsonPath, joins_several_results) {
  EXPECT_EQ(render("{.items[*].name}"), "a b c");
  EXPECT_EQ(render("{.items[0:2].name}"), "a b");
  EXPECT_EQ(render("{.items[::2].n}"), "1 3");
  EXPECT_EQ(render("{.items[0,2].name}"), "a c");
  EXPECT_EQ(render("{..name}"), "a b c");
}

TEST(Api_JsonPath, filters) {
  EXPECT_EQ(render(R"({.items[?(@.name=="b")].n})"), "2");
  EXPECT_EQ(render("{.items[?(@.n>=2)].name}"), "b c");
  EXPECT_EQ(render("{.items[?(@.state)].name}"), "a");
  EXPECT_EQ(render("{.items[?(@.state.ready==true)].name}"), "a");
  EXPECT_EQ(render(R"({.items[?(@.name!="}")].n})"), "1 2 3");
}

TEST(Api_JsonPath, repeats_a_range) {
  EXPECT_EQ(render(R"({range .items[*]}{.name}={.n}{"\n"}{end}!)"), "a=1\nb=2\nc=3\n!");
}

TEST(Api_JsonPath, writes_lists_and_objects_as_json) {
  EXPECT_EQ(render("{.items[0].state}"), R"({"ready":true})");
}

TEST(Api_JsonPath, complains_about_what_is_missing_unless_told_otherwise) {
  EXPECT_EQ(render("{.nope}"), "find: nope is not found");
  EXPECT_EQ(render("{.items[7]}"), "find: array index out of bounds: index 7, length 3");
  auto relaxed = JsonPath::parse("{.nope.deeper}", JsonPath::Missing::IsNothing);
  EXPECT_EQ(*relaxed->render(pods()), "");
  EXPECT_TRUE(relaxed->find(pods())->empty());
}

TEST(Api_JsonPath, refuses_broken_templates) {
  EXPECT_EQ(render("bad {"), "parse: unclosed action");
  EXPECT_EQ(render("{.items[}"), "parse: unclosed action");
  EXPECT_EQ(render("{end}"), "parse: not in range, nothing to end");
  EXPECT_EQ(render("{range .items[*]}x"), "parse: unexpected end of range");
  EXPECT_EQ(render("{.items[a]}"), "parse: invalid array index a");
  EXPECT_EQ(render("{hello}"), "parse: unrecognized identifier hello");
}

}  // namespace
}  // namespace flotilla::api
