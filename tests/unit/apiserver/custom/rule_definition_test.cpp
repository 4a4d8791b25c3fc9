// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/custom/rule_definition.hpp"

#include <gtest/gtest.h>

#include "core/apiserver/custom/custom_rules.hpp"

namespace flotilla::apiserver {
namespace {

using api::FieldErrors;
using api::FieldView;
using api::Json;

std::string faults(std::string_view schema) {
  const auto value = Json::parse(schema);
  EXPECT_TRUE(value.ok());
  FieldErrors errors;
  check_rule_definitions(FieldView(*value, "s", errors));
  std::string text;
  for (const Cause& one : errors.causes())
    text += (text.empty() ? "" : " | ") + one.field + ": " + one.message;
  return text;
}

std::string on_list(std::string_view rule, std::string_view more = "") {
  return faults(R"({"type":"object","x-kubernetes-validations":[{"rule":")" + std::string(rule) +
                R"("}],"properties":{"l":{"type":"array","items":{"type":"string")" + std::string(more) +
                "}}}}");
}

TEST(Apiserver_RuleDefinition, accepts_cheap_rules) {
  EXPECT_EQ(on_list("self.l.size() < 3"), "");
}

TEST(Apiserver_RuleDefinition, wants_truth_values) {
  EXPECT_NE(on_list("self.l.size()").find("must evaluate to bool"), std::string::npos);
  EXPECT_NE(on_list("self.k").find("undefined field 'k'"), std::string::npos);
}

TEST(Apiserver_RuleDefinition, refuses_what_may_cost_too_much) {
  const std::string found = on_list("self.l.all(a, self.l.all(b, a == b || a.contains(b)))");
  EXPECT_NE(found.find("estimated rule cost exceeds budget by factor of more than 100x"), std::string::npos)
      << found;
}

TEST(Apiserver_RuleDefinition, looks_back_only_where_it_can_find) {
  EXPECT_NE(
      faults(
          R"({"type":"object","properties":{"l":{"type":"array","maxItems":3,"items":{"type":"string","maxLength":5,
      "x-kubernetes-validations":[{"rule":"self == oldSelf"}]}}}})")
          .find("uncorrelatable portion of the schema within s.properties[l].items"),
      std::string::npos);
}

TEST(Apiserver_CustomRules, holds_objects_to_their_rules) {
  const auto schema = Json::parse(R"({"type":"object","properties":{"spec":{"type":"object","properties":{
      "a":{"type":"integer","x-kubernetes-validations":[{"rule":"self >= oldSelf","message":"only grows"}]},
      "m":{"type":"object","additionalProperties":{"type":"string","x-kubernetes-validations":[{"rule":"self != ''"}]}}}}}})");
  ASSERT_TRUE(schema.ok());
  const auto rules = custom_rules().compile(*schema);
  ASSERT_NE(rules, nullptr);
  const auto check = [&](std::string_view object, std::string_view live) {
    FieldErrors errors;
    rules->check(*Json::parse(object), live.empty() ? Json() : *Json::parse(live), errors);
    return errors.empty() ? std::string()
                          : errors.causes().front().field + ": " + errors.causes().front().message;
  };
  EXPECT_EQ(check(R"({"spec":{"a":1}})", ""), "");
  EXPECT_EQ(check(R"({"spec":{"a":1}})", R"({"spec":{"a":2}})"),
            "spec.a: Invalid value: \"integer\": only grows");
  EXPECT_EQ(check(R"({"spec":{"m":{"k":""}}})", ""),
            "spec.m[k]: Invalid value: \"string\": failed rule: self != ''");
  EXPECT_EQ(check(R"({"spec":{"m":{"k":""},"a":1}})", R"({"spec":{"m":{"k":""}}})"), "");
}

}  // namespace
}  // namespace flotilla::apiserver
