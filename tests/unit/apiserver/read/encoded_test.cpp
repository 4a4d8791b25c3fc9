// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/read/encoded.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

TEST(ApiServer_Encoded, reads_the_type_where_another_member_comes_first) {
  const EncodedParts parts =
      cut(R"({"addressType":"IPv4","apiVersion":"v1","kind":"K","metadata":{},"ports":[]})");
  EXPECT_EQ(parts.api_version, "v1");
  EXPECT_EQ(parts.kind, "K");
  EXPECT_EQ(parts.metadata, "{}");
}

TEST(ApiServer_Encoded, is_not_led_astray_by_quotes_and_braces_in_strings) {
  const std::string_view bytes =
      R"({"apiVersion":"v1","data":{"k":"\"}\\"},"kind":"ConfigMap","metadata":{"a":"]"},"z":1})";
  const EncodedParts parts = cut(bytes);
  EXPECT_EQ(parts.api_version, "v1");
  EXPECT_EQ(parts.kind, "ConfigMap");
  EXPECT_EQ(parts.metadata, R"({"a":"]"})");
}

std::string with_version(std::string_view bytes) {
  const auto [head, tail] = around_version(bytes);
  return std::string(head) + "<>" + std::string(tail);
}

TEST(ApiServer_Encoded, finds_the_version_of_the_object_itself) {
  EXPECT_EQ(
      with_version(
          R"({"kind":"K","metadata":{"a":{"resourceVersion":"1"},"resourceVersion":"72","z":1},"x":2})"),
      R"({"kind":"K","metadata":{"a":{"resourceVersion":"1"},"resourceVersion":"<>","z":1},"x":2})");
  EXPECT_EQ(with_version(R"({"metadata":{"resourceVersion":"7"}})"),
            R"({"metadata":{"resourceVersion":"<>"}})");
  EXPECT_EQ(with_version(R"({"metadata":{"name":"a"}})"), R"({"metadata":{"name":"a"}}<>)");
}

}  // namespace
}  // namespace flotilla::apiserver
