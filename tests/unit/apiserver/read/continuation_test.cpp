// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/read/continuation.hpp"

#include <gmock/gmock.h>

#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

using ::testing::EndsWith;

std::string refusal(const std::string& text) {
  const auto read = decode_continuation(base64url_encode(text), true);
  return read ? "" : read.error().message();
}

TEST(Continuation, goes_on_where_it_says) {
  const auto read = decode_continuation(encode_continuation(17, {"ns", "name"}), true);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->revision, 17);
  EXPECT_EQ(read->after, (api::ObjectKey{"ns", "name"}));
  EXPECT_EQ(decode_continuation(encode_continuation(-1, {"", "name"}), false)->after.name, "name");
}

TEST(Continuation, refuses_in_kubernetes_words) {
  EXPECT_EQ(decode_continuation("ab!c", true).error().message(),
            "invalid continue token: continue key is not valid: illegal base64 data at input byte 2");
  EXPECT_THAT(refusal(R"({"v":"v2","rv":1,"start":"a"})"),
              EndsWith("server does not recognize this encoded version \"v2\""));
  EXPECT_THAT(refusal(R"({"v":"meta.k8s.io/v1","start":"a"})"),
              EndsWith("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"));
  EXPECT_THAT(refusal(R"({"v":"meta.k8s.io/v1","rv":1})"),
              EndsWith("encoded start key empty (version meta.k8s.io/v1)"));
  for (const char* start : {"../a", "a/../../b", "a//b", "a/./b", "a/"}) {
    EXPECT_THAT(refusal(R"({"v":"meta.k8s.io/v1","rv":1,"start":")" + std::string(start) + "\"}"),
                EndsWith("continue key is not valid: " + std::string(start)));
  }
}

}  // namespace
}  // namespace flotilla::apiserver
