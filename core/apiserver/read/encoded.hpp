// SPDX-License-Identifier: Apache-2.0
// Cutting an encoded object without parsing it: where its apiVersion, kind and metadata stand among the
// top-level members.
#pragma once

#include <string_view>
#include <utility>

namespace flotilla::apiserver {

struct EncodedParts {
  std::string_view api_version;  // the value without quotes
  std::string_view kind;         // the value without quotes
  std::string_view metadata;     // the value with its braces
};

// `bytes` must be a document that Object made: compact.
EncodedParts cut(std::string_view bytes);

// What stands before and behind the text of metadata.resourceVersion. All and nothing where it has none.
std::pair<std::string_view, std::string_view> around_version(std::string_view bytes);

}  // namespace flotilla::apiserver
