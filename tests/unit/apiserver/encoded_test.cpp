// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/encoded.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flotilla::apiserver {
namespace {

std::string untyped(std::string_view bytes) {
  std::string out;
  for (const std::string_view piece : cut(bytes).untyped) out += piece;
  return out;
}

TEST(ApiServer_Encoded, cuts_apiVersion_and_kind_out_of_an_object) {
  EXPECT_EQ(untyped(R"({"apiVersion":"v1","data":{"kind":"x"},"kind":"ConfigMap","metadata":{"name":"a"}})"),
            R"({"data":{"kind":"x"},"metadata":{"name":"a"}})");
}

TEST(ApiServer_Encoded, cuts_where_another_member_comes_first) {
  EXPECT_EQ(untyped(R"({"addressType":"IPv4","apiVersion":"v1","kind":"K","metadata":{},"ports":[]})"),
            R"({"addressType":"IPv4","metadata":{},"ports":[]})");
}

TEST(ApiServer_Encoded, is_not_led_astray_by_quotes_and_braces_in_strings) {
  const std::string_view bytes =
      R"({"apiVersion":"v1","data":{"k":"\"}\\"},"kind":"ConfigMap","metadata":{"a":"]"},"z":1})";
  const EncodedParts parts = cut(bytes);
  EXPECT_EQ(parts.api_version, "v1");
  EXPECT_EQ(parts.kind, "ConfigMap");
  EXPECT_EQ(parts.metadata, R"({"a":"]"})");
  EXPECT_EQ(untyped(bytes), R"({"data":{"k":"\"}\\"},"metadata":{"a":"]"},"z":1})");
}

}  // namespace
}  // namespace flotilla::apiserver
