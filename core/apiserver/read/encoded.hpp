// SPDX-License-Identifier: Apache-2.0
// Cutting an encoded object without parsing it: where its apiVersion, kind and metadata stand among the
// top-level members.
#pragma once

#include <string_view>

namespace flotilla::apiserver {

struct EncodedParts {
  std::string_view api_version;  // the value without quotes
  std::string_view kind;         // the value without quotes
  std::string_view metadata;     // the value with its braces
};

// `bytes` must be a document that Object made: compact.
EncodedParts cut(std::string_view bytes);

}  // namespace flotilla::apiserver
