// SPDX-License-Identifier: Apache-2.0
#include "core/config/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flotilla::config {
namespace {

using api::Json;
using testing::HasSubstr;

std::string as_json(std::string_view text) {
  const auto parsed = parse_yaml(text);
  return parsed ? parsed->dump() : parsed.error().message();
}

TEST(Config_Yaml, reads_scalars_as_kubectl_does) {
  EXPECT_EQ(as_json("a: yes\nb: \"yes\"\nc: 'off'\nd: Off"), R"({"a":true,"b":"yes","c":"off","d":false})");
  EXPECT_EQ(as_json("a: 0644\nb: 0x1f\nc: 1_000\nd: 12e3\ne: -7"),
            R"({"a":420,"b":31,"c":1000,"d":12000.0,"e":-7})");
  EXPECT_EQ(as_json("a: ~\nb:\nc: null\nd: \"\""), R"({"a":null,"b":null,"c":null,"d":""})");
  EXPECT_EQ(as_json("a: 1.2.3\nb: 2024-01-02\nc: 1e\nd: -a\ne: .5"),
            R"({"a":"1.2.3","b":"2024-01-02","c":"1e","d":"-a","e":0.5})");
  EXPECT_EQ(as_json("a: !!str 12"), R"({"a":"12"})");
  EXPECT_EQ(as_json("99999999999999999999"), "1e+20");
}

TEST(Config_Yaml, reads_json_and_nested_structures) {
  EXPECT_EQ(as_json(R"({"a": [1, {"b": "c"}]})"), R"({"a":[1,{"b":"c"}]})");
  EXPECT_EQ(as_json("a:\n- b: 1\n  c: |\n    x\n    y\n- []"), R"({"a":[{"b":1,"c":"x\ny\n"},[]]})");
}

TEST(Config_Yaml, refuses_what_the_library_reads_without_end) {
  EXPECT_FALSE(parse_yaml(",listeiste\x8a:0en: \":\":n:0en: \":\":").ok());
  EXPECT_FALSE(parse_yaml("{a: 1} b").ok());
}

TEST(Config_Yaml, splits_streams) {
  const auto documents = parse_yaml_documents("---\na: 1\n---\n---\nb: 2\n...\n");
  ASSERT_TRUE(documents.ok());
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_THAT(as_json("a: 1\n---\nb: 2"), HasSubstr("several documents"));
}

TEST(Config_Yaml, expands_aliases_and_merges_within_bounds) {
  EXPECT_EQ(as_json("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3"), R"({"x":{"a":1,"b":2},"y":{"a":1,"b":3}})");
  std::string bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += "*a" + std::to_string(i - 1) + ",";
    bomb += "]\n";
  }
  EXPECT_THAT(as_json(bomb), HasSubstr("too many values"));
  EXPECT_THAT(as_json(std::string(5000, '[')), HasSubstr("line "));
}

TEST(Config_Yaml, refuses_duplicate_keys_with_their_line) {
  EXPECT_EQ(as_json("a: 1\nb:\n  c: 1\n  c: 2"), "line 4: key \"c\" already set in map");
}

TEST(Config_Yaml, knows_the_lines_of_values) {
  Lines lines;
  ASSERT_TRUE(parse_yaml("a: 1\nb:\n  c:\n  - x\n  - y\n", &lines).ok());
  EXPECT_EQ(lines["b.c[1]"], 5);
}

TEST(Config_Yaml, prints_what_it_reads_back) {
  const Json value =
      Json::parse(R"({"a":{"b":[{"c":1,"d":["x"]},{},[]],"e":"yes","f":"1","g":null,"h":"a: b"},
      "text":"l1\n\n  l2\n","tail":"x\ny","odd":"-","star":"*","url":"https://a:1/b","empty":"","time":"2024-01-02T03:04:05Z",
      "colon":"a:","flag":"--x","tilde":"~","sp":" x","tab":"\t","nested":[["a"],["b","c"]],"float":1.5,"t":true})")
          .value();
  const std::string text = to_yaml(value);
  EXPECT_EQ(as_json(text), value.dump()) << text;
  EXPECT_THAT(text, HasSubstr("a:\n  b:\n  - c: 1\n    d:\n    - x\n  - {}\n  - []\n  e: \"yes\"\n"));
  EXPECT_THAT(text, HasSubstr("text: |\n  l1\n\n    l2\n"));
}

}  // namespace
}  // namespace flotilla::config
