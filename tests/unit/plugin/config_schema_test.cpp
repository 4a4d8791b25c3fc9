// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/config_schema.hpp"

#include <gtest/gtest.h>

namespace flotilla::plugin {
namespace {

using api::Json;

Json parse(std::string_view text) {
  return Json::parse(text).value();
}

std::string faults(std::string_view schema, std::string_view config) {
  const auto checked = validate_config(parse(schema), parse(config), "c");
  return checked ? "" : checked.error().message();
}

TEST(Plugin_ConfigSchema, fills_in_defaults_at_every_depth) {
  const Json schema = parse(R"({"type":"object","properties":{"a":{"type":"integer","default":3},
      "b":{"type":"object","default":{},"properties":{"c":{"type":"string","default":"x"}}}}})");
  EXPECT_EQ(validate_config(schema, Json(), "c").value().dump(), R"({"a":3,"b":{"c":"x"}})");
  EXPECT_EQ(validate_config(schema, parse(R"({"a":1})"), "c").value()["a"].as_int(), 1);
}

TEST(Plugin_ConfigSchema, names_every_fault_with_its_path) {
  EXPECT_EQ(
      faults(R"({"type":"object","required":["a"],"additionalProperties":false,"properties":{
      "a":{},"b":{"type":"array","items":{"type":"integer","maximum":3}}}})",
             R"({"b":[1,9,"x"],"d":1})"),
      "c.a: is required; c.b[1]: must be at most 3; c.b[2]: must be of type integer; c.d: is not known");
}

TEST(Plugin_ConfigSchema, checks_words_numbers_and_texts) {
  EXPECT_EQ(faults(R"({"properties":{"m":{"enum":["a","b"]}}})", R"({"m":"c"})"),
            R"(c.m: must be one of ["a","b"])");
  EXPECT_EQ(faults(R"({"properties":{"m":{"pattern":"^[a-z]+$"}}})", R"({"m":"A1"})"),
            "c.m: must match ^[a-z]+$");
  EXPECT_EQ(faults(R"({"properties":{"m":{"exclusiveMinimum":1}}})", R"({"m":1})"),
            "c.m: must be more than 1");
  EXPECT_EQ(faults(R"({"properties":{"m":{"minLength":2}}})", R"({"m":"a"})"),
            "c.m: must have at least 2 characters");
  EXPECT_EQ(faults(R"({"properties":{"m":{"type":["string","null"]}}})", R"({"m":1})"),
            R"(c.m: must be of a type in ["string","null"])");
  EXPECT_EQ(faults(R"({"properties":{"m":{"type":"number"}}})", R"({"m":1.5})"), "");
}

TEST(Plugin_ConfigSchema, chooses_a_branch) {
  const char* schema = R"({"oneOf":[{"required":["a"]},{"required":["b"]}]})";
  EXPECT_EQ(faults(schema, R"({"a":1})"), "");
  EXPECT_EQ(faults(schema, R"({"a":1,"b":1})"), "c: fits several branches of oneOf");
  EXPECT_EQ(faults(schema, "{}"), "c: fits no branch of oneOf");
}

}  // namespace
}  // namespace flotilla::plugin
