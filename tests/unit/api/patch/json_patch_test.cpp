// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "core/api/patch/patch.hpp"

namespace flotilla::api {
namespace {

std::string patched(const std::string& live, const std::string& patch) {
  const auto done = json_patch(*Json::parse(live), patch);
  return done ? done->object.dump() : "error: " + done.error().message();
}

// `count` operations, from `operation(0)` on.
template <typename Operation>
std::string operations(int count, Operation operation) {
  std::string patch = "[";
  for (int i = 0; i < count; ++i) patch += (i ? "," : "") + operation(i);
  return patch + "]";
}

std::string nested(int depth) {
  std::string text(static_cast<std::size_t>(depth), '[');
  return text.append(static_cast<std::size_t>(depth), ']');
}

constexpr char kRejected[] = "error: the server rejected our request due to an error in our request";

TEST(Api_JsonPatch, copies_and_moves) {
  EXPECT_EQ(patched(R"({"a":{"x":1}})", R"([{"op":"copy","from":"/a","path":"/b"}])"),
            R"({"a":{"x":1},"b":{"x":1}})");
  EXPECT_EQ(patched(R"({"a":[1,2]})", R"([{"op":"move","from":"/a/0","path":"/a/-"}])"), R"({"a":[2,1]})");
}

TEST(Api_JsonPatch, a_copy_is_of_its_own) {
  EXPECT_EQ(patched(R"({"a":{"x":1}})",
                    R"([{"op":"copy","from":"/a","path":"/b"},{"op":"replace","path":"/b/x","value":2}])"),
            R"({"a":{"x":1},"b":{"x":2}})");
}

TEST(Api_JsonPatch, refuses_copies_that_double_the_document_without_end) {
  const auto doubling = [](int i) {
    return R"({"op":"copy","from":"","path":"/k)" + std::to_string(i) + R"("})";
  };
  EXPECT_EQ(patched(R"({"data":{"k":"v"}})", operations(40, doubling)), kRejected);
  EXPECT_EQ(patched(R"({"data":{"k":"v"}})", operations(4, doubling)).substr(0, 8), R"({"data":)");
}

TEST(Api_JsonPatch, refuses_copies_that_nest_deeper_than_a_body_may) {
  // Each copy puts the whole document under its own deepest level.
  std::string at = "/a";
  const auto deeper = [&at](int) {
    const std::string operation = R"({"op":"copy","from":"","path":")" + at + R"("})";
    at += at;
    return operation;
  };
  EXPECT_EQ(patched(R"({"a":{}})", operations(16, deeper)), kRejected);
}

TEST(Api_JsonPatch, refuses_values_that_nest_deeper_together) {
  std::string at = "/a";
  const auto deeper = [&at](int) {
    const std::string operation = R"({"op":"add","path":")" + at + R"(","value":)" + nested(300) + "}";
    for (int i = 0; i < 299; ++i) at += "/0";
    at += "/-";
    return operation;
  };
  EXPECT_EQ(patched("{}", operations(2, deeper)), kRejected);
  EXPECT_EQ(patched("{}", R"([{"op":"add","path":"/a","value":)" + nested(300) + "}]").substr(0, 6),
            R"({"a":[)");
}

TEST(Api_JsonPatch, refuses_to_shift_a_long_list_without_end) {
  std::string list = "0";
  for (int i = 0; i < 100'000; ++i) list += ",1";
  const auto in_front = [](int) -> std::string { return R"({"op":"add","path":"/a/0","value":2})"; };
  const auto live = R"({"a":[)" + list + "]}";
  EXPECT_EQ(patched(live, operations(10'000, in_front)), kRejected);
  EXPECT_EQ(patched(live, operations(3, in_front)), R"({"a":[2,2,2,)" + list + "]}");
}

TEST(Api_JsonPatch, refuses_to_move_a_large_part_without_end) {
  std::string members;
  for (int i = 0; i < 20'000; ++i) members += (i ? "," : "") + ("\"k" + std::to_string(i)) + "\":1";
  const auto to_and_fro = [](int i) -> std::string {
    if (i % 2) return R"({"op":"move","from":"/b","path":"/a"})";
    return R"({"op":"move","from":"/a","path":"/b"})";
  };
  const std::string live = R"({"a":{)" + members + "}}";
  EXPECT_EQ(patched(live, operations(10'000, to_and_fro)), kRejected);
  EXPECT_EQ(patched(live, operations(10, to_and_fro)), Json::parse(live)->dump());
}

}  // namespace
}  // namespace flotilla::api
