// SPDX-License-Identifier: Apache-2.0
#include "core/planning/fields.hpp"

#include <gmock/gmock.h>

namespace flotilla::planning {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Json json(std::string_view text) {
  return *Json::parse(text);
}

std::vector<std::string> paths(const Json& before, const Json& after) {
  std::vector<std::string> out;
  for (const FieldChange& change : field_changes(before, after)) out.push_back(change.path);
  return out;
}

TEST(Planning_Fields, a_changed_leaf_is_named_by_its_path) {
  const Json before = json(R"({"spec":{"replicas":1,"paused":false}})");
  const Json after = json(R"({"spec":{"replicas":2,"paused":false}})");
  EXPECT_THAT(paths(before, after), ElementsAre("spec.replicas"));
}

TEST(Planning_Fields, named_elements_are_compared_by_name_wherever_they_stand) {
  const Json before = json(R"({"c":[{"name":"a","image":"x"},{"name":"b","image":"y"}]})");
  const Json after = json(R"({"c":[{"name":"b","image":"y"},{"name":"a","image":"z"}]})");
  EXPECT_THAT(paths(before, after), ElementsAre("c[a].image"));
}

TEST(Planning_Fields, what_appears_and_what_goes_is_said_once_at_the_top) {
  const Json before = json(R"({"a":{"b":1},"list":[1,2]})");
  const Json after = json(R"({"c":{"d":1},"list":[1]})");
  EXPECT_THAT(paths(before, after), ElementsAre("a", "list[1]", "c"));
  const auto changes = field_changes(before, after);
  EXPECT_EQ(changes[0].after, nullptr);
  EXPECT_EQ(changes[2].before, nullptr);
}

TEST(Planning_Fields, keys_with_dots_are_bracketed) {
  const Json before = json(R"({"metadata":{"labels":{}}})");
  const Json after = json(R"({"metadata":{"labels":{"app.kubernetes.io/name":"web"}}})");
  EXPECT_THAT(paths(before, after), ElementsAre("metadata.labels[app.kubernetes.io/name]"));
}

TEST(Planning_Fields, status_and_bookkeeping_do_not_count) {
  const Json before = json(R"({"metadata":{"resourceVersion":"1","generation":1,
      "annotations":{"resourcetemplate.karmada.io/generation":"1"}},"status":{"a":1}})");
  const Json after = json(R"({"metadata":{"resourceVersion":"9","generation":2,
      "annotations":{"resourcetemplate.karmada.io/generation":"2"}},"status":{"a":2}})");
  EXPECT_THAT(paths(comparable(before), comparable(after)), ElementsAre());
}

TEST(Planning_Fields, secrets_are_compared_and_not_shown) {
  const Json before = json(R"({"apiVersion":"v1","kind":"Secret","data":{"password":"c2VjcmV0"}})");
  const Json after = json(R"({"apiVersion":"v1","kind":"Secret","data":{"password":"b3RoZXI="}})");
  const Json a = comparable(before), b = comparable(after);
  EXPECT_THAT(paths(a, b), ElementsAre("data.password"));
  EXPECT_THAT(a.dump() + b.dump(), Not(testing::AnyOf(HasSubstr("c2VjcmV0"), HasSubstr("b3RoZXI="))));
}

TEST(Planning_Fields, many_changes_are_cut_with_their_number) {
  Json before = Json::object(), after = Json::object();
  for (int i = 0; i < 30; ++i) after.set("k" + std::to_string(i), i);
  const Json shown = changes_to_json(field_changes(before, after), 10);
  EXPECT_EQ(shown.size(), 11u);
  EXPECT_EQ(shown.element(10)["after"].as_string(), "20 more");
}

TEST(Planning_Fields, a_digest_tells_where_texts_end) {
  Digest a, b;
  a.add("ab"), a.add("c");
  b.add("a"), b.add("bc");
  EXPECT_NE(a.hex(), b.hex());
  EXPECT_EQ(a.hex().size(), 16u);
}

}  // namespace
}  // namespace flotilla::planning
