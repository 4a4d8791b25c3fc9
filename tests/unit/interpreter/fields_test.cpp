// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/fields.hpp"

#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

TEST(Interpreter_Fields, read_absent_members_as_zero) {
  api::Json owner = json(R"({"null": null})");
  FieldReader reader(owner, "status");
  EXPECT_EQ(reader.count("absent"), 0);
  EXPECT_EQ(reader.text("null"), "");
  EXPECT_TRUE(reader.ok().ok());
}

TEST(Interpreter_Fields, keep_the_first_mismatch) {
  api::Json owner = json(R"({"count": "x", "text": 5})");
  FieldReader reader(owner, "status");
  reader.count("count");
  reader.text("text");
  Status read = reader.ok();
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().message(), "status.count: Invalid value: \"x\": expected an integer");
}

TEST(Interpreter_Fields, compare_by_what_carries_something) {
  EXPECT_TRUE(same_content(json(R"({"a": 0, "b": {"c": ""}})"), json("null")));
  EXPECT_TRUE(same_content(json(R"({"a": 1, "b": []})"), json(R"({"a": 1})")));
  EXPECT_FALSE(same_content(json(R"({"a": [1, 2]})"), json(R"({"a": [2, 1]})")));
}

}  // namespace
}  // namespace flotilla::interpreter::test
