// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/api/validation/structural.hpp"
#include "core/api/validation/validation.hpp"

namespace flotilla::api {
namespace {

Json parse(std::string_view text) {
  auto parsed = Json::parse(text);
  EXPECT_TRUE(parsed.ok());
  return *parsed;
}

std::string joined(const FieldErrors& errors) {
  std::string text;
  for (const Cause& one : errors.causes())
    text += (text.empty() ? "" : " | ") + one.field + ": " + one.message;
  return text;
}

std::string custom(std::string_view schema, std::string_view value, std::string_view old = {}) {
  auto made = read_custom_schema(parse(schema));
  EXPECT_TRUE(made.ok());
  FieldErrors errors;
  const Json before = old.empty() ? Json() : parse(old);
  const Json now = parse(value);
  validate_custom(*made->root, now, old.empty() ? nullptr : &before, "", errors);
  validate_custom_lists(*made->root, now, old.empty() ? nullptr : &before, errors);
  return joined(errors);
}

std::string structural(std::string_view schema) {
  FieldErrors errors;
  const Json value = parse(schema);
  validation::validate_structural(FieldView(value, "s", errors));
  return joined(errors);
}

constexpr std::string_view kSizes =
    R"({"type":"object","properties":{"a":{"type":"integer","maximum":3},"b":{"type":"string"},
    "l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["n"],
         "items":{"type":"object","properties":{"n":{"type":"string"},"v":{"type":"integer","minimum":0}}}},
    "s":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}}}})";

TEST(Api_CustomValidation, leaves_alone_what_did_not_change) {
  EXPECT_NE(custom(kSizes, R"({"a":9,"b":"x"})"), "");
  EXPECT_EQ(custom(kSizes, R"({"a":9,"b":"y"})", R"({"a":9,"b":"x"})"), "");
  EXPECT_NE(custom(kSizes, R"({"a":8})", R"({"a":9})"), "");
}

TEST(Api_CustomValidation, finds_list_elements_again_by_their_keys) {
  constexpr std::string_view kOld = R"({"l":[{"n":"x","v":-1}]})";
  EXPECT_EQ(custom(kSizes, R"({"l":[{"n":"y","v":1},{"n":"x","v":-1}]})", kOld), "");
  EXPECT_NE(custom(kSizes, R"({"l":[{"n":"y","v":-1},{"n":"x","v":-1}]})", kOld), "");
}

TEST(Api_CustomValidation, refuses_doubles_in_sets_and_maps) {
  EXPECT_EQ(custom(kSizes, R"({"s":["a","b","a"]})"), "s[2]: Duplicate value: \"a\"");
  EXPECT_EQ(custom(kSizes, R"({"l":[{"n":"x"},{"n":"x"}]})"),
            "l[1]: Duplicate value: map[string]interface {}{\"n\":\"x\"}");
  EXPECT_EQ(custom(kSizes, R"({"s":["a","a","b"]})", R"({"s":["a","a"]})"), "");
}

TEST(Api_CustomValidation, evaluates_junctors_with_all_their_parts) {
  constexpr std::string_view kSchema =
      R"({"type":"object","properties":{"spec":{"type":"object","properties":{"p":{"type":"string"},"q":{"type":"integer"}},
      "anyOf":[{"properties":{"p":{"pattern":"^a"}},"required":["p"]},{"properties":{"q":{"minimum":5}},"required":["q"]}]}}})";
  EXPECT_EQ(custom(kSchema, R"({"spec":{"p":"ab"}})"), "");
  EXPECT_EQ(custom(kSchema, R"({"spec":{"q":7}})"), "");
  EXPECT_NE(custom(kSchema, R"({"spec":{"q":4}})").find("at least one schema (anyOf)"), std::string::npos);
}

TEST(Api_StructuralSchema, wants_types_outside_of_junctors_and_none_inside) {
  EXPECT_EQ(structural(R"({"type":"object","properties":{"a":{"type":"string"}}})"), "");
  EXPECT_EQ(structural(R"({"type":"object","properties":{"a":{}}})"),
            "s.properties[a].type: Required value: must not be empty for specified object fields");
  EXPECT_EQ(
      structural(
          R"({"type":"object","properties":{"a":{"type":"string"}},"anyOf":[{"properties":{"a":{"type":"string"}}}]})"),
      "s.anyOf[0].properties[a].type: Forbidden: must be empty to be structural");
  EXPECT_EQ(structural(R"({"type":"object","anyOf":[{"properties":{"a":{"minLength":1}}}]})"),
            "s.properties[a]: Required value: because it is defined in s.anyOf[0].properties[a]");
  EXPECT_EQ(structural(R"({"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true,
      "anyOf":[{"type":"integer"},{"type":"string"}]}}})"),
            "");
}

TEST(Api_StructuralSchema, restricts_metadata_to_names) {
  EXPECT_EQ(
      structural(
          R"({"type":"object","properties":{"metadata":{"type":"object","properties":{"name":{"type":"string"}}}}})"),
      "");
  EXPECT_NE(
      structural(
          R"({"type":"object","properties":{"metadata":{"type":"object","properties":{"labels":{"type":"object"}}}}})"),
      "");
}

TEST(Api_StructuralSchema, complains_of_plain_and_structural_rules_together) {
  EXPECT_EQ(structural(R"({"type":"object","properties":{"a":{"x-kubernetes-map-type":"atomic"}}})"),
            "s.properties[a].type: Required value: must be object if x-kubernetes-map-type is specified | "
            "s.properties[a].type: Required value: must not be empty for specified object fields");
  EXPECT_EQ(structural(R"({"type":"object","properties":{"a":{"type":"object","additionalProperties":true,
      "properties":{"x":{"type":"string"}}}}})"),
            "");
  EXPECT_EQ(structural(R"({"type":"object","properties":{"metadata":{"type":"object","default":{}}}})"),
            "s.properties[metadata].default: Forbidden: must not be set in top-level metadata");
}

TEST(Api_StructuralSchema, wants_keys_that_are_always_there) {
  const auto with = [](std::string_view items) {
    return structural(R"({"type":"object","properties":{"l":{"type":"array","x-kubernetes-list-type":"map",
        "x-kubernetes-list-map-keys":["k"],"items":)" +
                      std::string(items) + "}}}");
  };
  EXPECT_EQ(with(R"({"type":"object","required":["k"],"properties":{"k":{"type":"string"}}})"), "");
  EXPECT_EQ(with(R"({"type":"object","properties":{"k":{"type":"string","default":"x"}}})"), "");
  EXPECT_NE(with(R"({"type":"object","properties":{"k":{"type":"string"}}})").find("must have a default"),
            std::string::npos);
  EXPECT_NE(
      with(R"({"type":"object","properties":{"j":{"type":"string"}}})").find("names of item properties"),
      std::string::npos);
}

}  // namespace
}  // namespace flotilla::api
