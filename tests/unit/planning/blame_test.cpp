// SPDX-License-Identifier: Apache-2.0
#include "core/planning/blame.hpp"

#include <gmock/gmock.h>

namespace flotilla::planning {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Json json(std::string_view text) {
  return *Json::parse(text);
}

std::vector<std::string> texts(const std::vector<Blame::Part>& parts) {
  std::vector<std::string> out;
  for (const Blame::Part& part : parts) out.push_back(part.pointer + " " + std::to_string(part.by));
  return out;
}

TEST(Planning_Blame, nobody_is_blamed_for_what_is_unchanged) {
  Blame blame;
  const Json document = json(R"({"a":{"b":[1,2]}})");
  blame.advance(document, document, 1);
  EXPECT_THAT(blame.written(), IsEmpty());
}

TEST(Planning_Blame, the_last_hand_on_a_field_is_its_author) {
  Blame blame;
  const Json first = json(R"({"spec":{"image":"a","replicas":1}})");
  const Json second = json(R"({"spec":{"image":"b","replicas":2}})");
  const Json third = json(R"({"spec":{"image":"c","replicas":2}})");
  blame.advance(first, second, 1);
  blame.advance(second, third, 2);
  EXPECT_THAT(texts(blame.written()), ElementsAre("/spec/image 2", "/spec/replicas 1"));
}

TEST(Planning_Blame, a_change_within_what_another_hand_added_shows_both) {
  Blame blame;
  const Json first = json(R"({})");
  const Json second = json(R"({"labels":{"a":"1","b":"1"}})");
  const Json third = json(R"({"labels":{"a":"1","b":"2"}})");
  blame.advance(first, second, 1);
  blame.advance(second, third, 2);
  EXPECT_THAT(texts(blame.written()), ElementsAre("/labels 1", "/labels/b 2"));
}

TEST(Planning_Blame, an_element_put_in_front_leaves_the_others_to_their_authors) {
  Blame blame;
  const Json first = json(R"({"args":["--a","--b"]})");
  const Json second = json(R"({"args":["--a","--c"]})");
  const Json third = json(R"({"args":["--new","--a","--c"]})");
  blame.advance(first, second, 1);
  blame.advance(second, third, 2);
  EXPECT_THAT(texts(blame.written()), ElementsAre("/args/0 2", "/args/2 1"));
}

TEST(Planning_Blame, named_elements_keep_their_authors_when_they_move) {
  Blame blame;
  const Json first = json(R"({"c":[{"name":"a","image":"x"},{"name":"b","image":"y"}]})");
  const Json second = json(R"({"c":[{"name":"a","image":"z"},{"name":"b","image":"y"}]})");
  const Json third = json(R"({"c":[{"name":"b","image":"y"},{"name":"a","image":"z"}]})");
  blame.advance(first, second, 1);
  blame.advance(second, third, 2);
  EXPECT_THAT(texts(blame.written()), ElementsAre("/c/1/image 1"));
}

TEST(Planning_Blame, what_is_taken_away_is_told_with_who_took_it) {
  Blame blame;
  const Json first = json(R"({"a":1,"l":["x","y"]})");
  const Json second = json(R"({"l":["x"]})");
  blame.advance(first, second, 3);
  EXPECT_THAT(texts(blame.removed()), ElementsAre("/a 3", "/l/1 3"));
}

TEST(Planning_Blame, keys_with_slashes_are_escaped) {
  EXPECT_EQ(pointer_step("a/b~c"), "/a~1b~0c");
}

}  // namespace
}  // namespace flotilla::planning
