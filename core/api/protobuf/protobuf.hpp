// SPDX-License-Identifier: Apache-2.0
// Bodies that Go's typed clients send: Kubernetes' protobuf, turned into the JSON it stands for. Which
// message has which fields is a table (config/schema/protobuf.txt); answers are always JSON, so nothing is
// encoded.
#pragma once

#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::api {

// The envelope (magic "k8s\0" and runtime.Unknown) with its object; apiVersion and kind are members of the
// result. Zero values are still there: decode() of schema/decode.hpp removes what Go would not have written.
// Errors: BadRequest for what is not well formed or of a kind that has no message.
Result<Json> decode_protobuf(std::string_view body);

}  // namespace flotilla::api
