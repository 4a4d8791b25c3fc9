// SPDX-License-Identifier: Apache-2.0
#include "core/api/selector.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

Json labels(std::string_view text) {
  return *Json::parse(text);
}

bool selects(std::string_view selector, std::string_view object) {
  auto parsed = LabelSelector::parse(selector);
  EXPECT_TRUE(parsed) << selector;
  return parsed && parsed->matches(labels(object));
}

std::string fault(std::string_view selector) {
  auto parsed = LabelSelector::parse(selector);
  return parsed ? "" : parsed.error().message();
}

TEST(Api_Selector, empty_text_selects_everything) {
  EXPECT_TRUE(selects("", "{}"));
  EXPECT_TRUE(LabelSelector::parse("")->selects_everything());
}

TEST(Api_Selector, equality_and_its_negation) {
  EXPECT_TRUE(selects("app=a", R"({"app":"a"})"));
  EXPECT_TRUE(selects(" app == a , tier = fe ", R"({"app":"a","tier":"fe"})"));
  EXPECT_FALSE(selects("app=a", R"({"app":"b"})"));
  EXPECT_TRUE(selects("other!=x", R"({"app":"b"})"));
  EXPECT_TRUE(selects("a=", R"({"a":""})"));
  EXPECT_FALSE(selects("a=", "{}"));
}

TEST(Api_Selector, sets_and_existence) {
  EXPECT_TRUE(selects("a in (x, y)", R"({"a":"y"})"));
  EXPECT_TRUE(selects("a notin (x, y)", "{}"));
  EXPECT_TRUE(selects("a in (,x)", R"({"a":""})"));
  EXPECT_FALSE(selects("a in ()", R"({"a":"x"})"));
  EXPECT_TRUE(selects("a,!b", R"({"a":"x"})"));
  EXPECT_TRUE(selects("in in (in)", R"({"in":"in"})"));
}

TEST(Api_Selector, numbers_compare_as_integers) {
  EXPECT_TRUE(selects("n>9", R"({"n":"10"})"));
  EXPECT_FALSE(selects("n<9", R"({"n":"10"})"));
  EXPECT_FALSE(selects("n>9", R"({"n":"ten"})"));
}

TEST(Api_Selector, faults_are_worded_as_kubernetes_does) {
  EXPECT_EQ(fault("a b"), "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
  EXPECT_EQ(fault("!"), "unable to parse requirement: found '', expected: identifier");
  EXPECT_EQ(fault("a in b"), "unable to parse requirement: found 'b' expected: '('");
  EXPECT_EQ(fault("a=b=c"), "found '=', expected: ',' or 'end of string'");
  EXPECT_EQ(fault(","), "found ',', expected: !, identifier, or 'end of string'");
  EXPECT_EQ(
      fault("n>x"),
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value "
      "must be an integer");
  EXPECT_EQ(fault("a=-b").substr(0, 62), "unable to parse requirement: values[0][a]: Invalid value: \"-b\"");
  EXPECT_EQ(fault("-a=b").substr(0, 57), "unable to parse requirement: <nil>: Invalid value: \"-a\": ");
}

TEST(Api_Selector, objects_select_as_texts_do) {
  const auto selector = LabelSelector::from_json(
      labels(R"({"matchLabels":{"a":"x"},"matchExpressions":[{"key":"b","operator":"Exists"}]})"));
  ASSERT_TRUE(selector);
  EXPECT_TRUE(selector->matches(labels(R"({"a":"x","b":""})")));
  EXPECT_FALSE(selector->matches(labels(R"({"a":"x"})")));
  EXPECT_EQ(selector->to_string(), "a=x,b");
}

TEST(Api_Selector, null_selects_nothing_and_an_empty_object_everything) {
  EXPECT_FALSE(LabelSelector::from_json(Json())->matches(Json::object()));
  EXPECT_TRUE(LabelSelector::from_json(Json::object())->matches(Json::object()));
}

TEST(Api_Selector, invalid_objects_are_refused) {
  EXPECT_FALSE(LabelSelector::from_json(labels(R"({"matchLabels":{"bad key!":"x"}})")));
  EXPECT_FALSE(LabelSelector::from_json(labels(R"({"matchExpressions":[{"key":"a","operator":"In"}]})")));
  EXPECT_FALSE(LabelSelector::from_json(labels(R"({"matchExpressions":[{"key":"a","operator":"Gt"}]})")));
}

TEST(Api_Selector, fields_compare_as_text) {
  const auto selector = FieldSelector::parse("metadata.name=a,status.phase!=Running");
  ASSERT_TRUE(selector);
  const auto field = [](std::string_view path) -> std::string_view {
    return path == "metadata.name" ? "a" : "Pending";
  };
  EXPECT_TRUE(selector->matches(field));
  EXPECT_EQ(selector->demanded("metadata.name"), "a");
  EXPECT_EQ(selector->demanded("status.phase"), std::nullopt);
  EXPECT_EQ(selector->to_string(), "metadata.name=a,status.phase!=Running");
}

TEST(Api_Selector, field_values_are_unescaped) {
  EXPECT_EQ(FieldSelector::parse(R"(a=x\,y\=z)")->terms()[0].value, "x,y=z");
  EXPECT_EQ(FieldSelector::parse("a==b")->terms()[0].value, "b");
  EXPECT_EQ(FieldSelector::parse("x").error().message(), "invalid selector: 'x'; can't understand 'x'");
}

}  // namespace
}  // namespace flotilla::api
