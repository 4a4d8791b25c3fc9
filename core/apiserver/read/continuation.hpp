// SPDX-License-Identifier: Apache-2.0
// Continue tokens: where a list in pages goes on (k8s-api 6.2). {"v":"meta.k8s.io/v1","rv":REVISION,
// "start":"ns/name\0"} as unpadded URL-safe base64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/api/object.hpp"
#include "core/base/result.hpp"

namespace flotilla::apiserver {

struct Continuation {
  std::int64_t revision = 0;  // -1: at the newest
  api::ObjectKey after;
};

std::string encode_continuation(std::int64_t revision, const api::ObjectKey& last);
// Errors: BadRequest in Kubernetes' words.
Result<Continuation> decode_continuation(std::string_view token, bool namespaced);
// The revision of `from` is compacted; `token_out` goes on at the newest. Gone.
Error compacted_page(const Continuation& from, std::string& token_out);

}  // namespace flotilla::apiserver
