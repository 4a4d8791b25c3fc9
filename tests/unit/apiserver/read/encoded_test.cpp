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

}  // namespace
}  // namespace flotilla::apiserver
