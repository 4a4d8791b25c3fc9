// SPDX-License-Identifier: Apache-2.0
#include "core/api/json.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace flotilla::api {
namespace {

Json parsed(std::string_view text) {
  auto value = Json::parse(text);
  EXPECT_TRUE(value.ok()) << text;
  return value ? *std::move(value) : Json();
}

TEST(Api_Json, keeps_absent_apart_from_null) {
  const Json value = parsed(R"({"a":null,"b":{"c":[1,2.5,"x",true]}})");
  ASSERT_NE(value.find("a"), nullptr);
  EXPECT_TRUE(value.find("a")->is_null());
  EXPECT_EQ(value.find("z"), nullptr);
  EXPECT_EQ(value.at({"b", "c"}).size(), 4u);
  EXPECT_EQ(value["b"]["c"].element(0).as_int(), 1);
  EXPECT_EQ(value["b"]["c"].element(1).as_double(), 2.5);
  EXPECT_EQ(value["b"]["c"].element(2).as_string(), "x");
  EXPECT_TRUE(value["b"]["c"].element(3).as_bool());
  EXPECT_TRUE(value["b"]["c"].element(9).is_null());
  EXPECT_EQ(value.dump(), R"({"a":null,"b":{"c":[1,2.5,"x",true]}})");
}

TEST(Api_Json, finds_what_must_be_escaped_at_any_place_of_a_text) {
  for (std::size_t length = 1; length < 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (int c = 0; c < 0x80; ++c) {
        std::string text(length, 'a');
        text[at] = static_cast<char>(c);
        const std::string written = Json(text).dump();
        const bool plain = c >= 0x20 && c != '"' && c != '\\';
        ASSERT_EQ(written == '"' + text + '"', plain) << length << " " << at << " " << c;
        ASSERT_EQ(parsed(written).as_string(), text) << written;
      }
    }
  }
}

TEST(Api_Json, walks_members_in_key_order_and_changes_them) {
  Json value = Json::object({{"b", 2}, {"a", 1}, {"c", Json::array({1, 2})}});
  std::string keys;
  for (const auto& [key, member] : value.members()) keys += key;
  EXPECT_EQ(keys, "abc");
  value.make({"d", "e"}) = "deep";
  value["c"].push_back(3);
  value["c"].erase_at(0);
  EXPECT_TRUE(value.erase("a"));
  EXPECT_FALSE(value.erase("a"));
  EXPECT_EQ(value.dump(), R"({"b":2,"c":[2,3],"d":{"e":"deep"}})");
  value = std::move(value["d"]);
  EXPECT_EQ(value.dump(), R"({"e":"deep"})");
}

TEST(Api_Json, names_duplicate_keys_by_path) {
  DuplicateKeys duplicates;
  const auto value = Json::parse(R"({"spec":{"list":[{"a":1},{"a":1,"a":2}],"x":1,"x":2}})", {}, &duplicates);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(duplicates, (DuplicateKeys{"spec.list[1].a", "spec.x"}));
  EXPECT_EQ((*value)["spec"]["x"].as_int(), 2);
}

TEST(Api_Json, refuses_what_is_too_deep_too_large_or_broken) {
  EXPECT_FALSE(Json::parse(std::string(600, '[') + std::string(600, ']')).ok());
  EXPECT_EQ(Json::parse("[1,2,3]", {.max_bytes = 3}).error().code(), Code::TooLarge);
  for (const char* text : {"", "{", "{\"a\":}", "nul", "[1,]", "\"\xff\"", "{} {}"}) {
    EXPECT_FALSE(Json::parse(text).ok()) << text;
  }
}

TEST(Api_Json, applies_json_patch_whole_or_not_at_all) {
  Json value = parsed(R"({"a":[1,2],"b":"x"})");
  EXPECT_TRUE(
      value.apply_json_patch(parsed(R"([{"op":"add","path":"/a/-","value":3},{"op":"remove","path":"/b"}])"))
          .ok());
  EXPECT_EQ(value.dump(), R"({"a":[1,2,3]})");
  EXPECT_FALSE(
      value.apply_json_patch(parsed(R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/zz"}])")).ok());
  EXPECT_EQ(value.dump(), R"({"a":[1,2,3]})");
  value.apply_merge_patch(parsed(R"({"a":null,"c":{"d":1}})"));
  EXPECT_EQ(value.dump(), R"({"c":{"d":1}})");
}

TEST(Api_Json, merges_many_members_as_it_merges_few) {
  std::mt19937 random(11);
  const auto key = [&random] { return "k" + std::to_string(random() % 400); };
  for (int round = 0; round < 20; ++round) {
    Json live = Json::object();
    Json patch = Json::object();
    for (int i = 0; i < 200; ++i) live.set(key(), Json::object({{"a", i}, {"b", "x"}}));
    for (int i = 0; i < 200; ++i) {
      const Json changes[] = {Json(), Json(i), Json::object({{"a", Json()}, {"c", i}})};
      patch.set(key(), changes[random() % 3]);
    }
    Json wanted = live;
    for (const auto& [name, change] : patch.members())
      wanted.apply_merge_patch(Json::object({{name, change}}));
    const std::string before = live.dump();
    const Json kept = live;
    live.apply_merge_patch(patch);
    EXPECT_EQ(live.dump(), wanted.dump());
    EXPECT_EQ(kept.dump(), before);
  }
}

TEST(Api_Json, inserts_and_erases_in_lists) {
  Json list = parsed(R"(["a",{"b":[1]},2])");
  const Json kept = list;
  list.insert_at(0, Json("first of a length that is not kept inside"));
  list.insert_at(2, Json::object({{"x", 1}}));
  list.erase_at(1);
  EXPECT_EQ(list.dump(), R"(["first of a length that is not kept inside",{"x":1},{"b":[1]},2])");
  while (list.size() > 0) list.erase_at(0);
  EXPECT_EQ(list.dump(), "[]");
  EXPECT_EQ(kept.dump(), R"(["a",{"b":[1]},2])");
}

}  // namespace
}  // namespace flotilla::api
