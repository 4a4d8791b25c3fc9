// SPDX-License-Identifier: Apache-2.0
// Cutting an encoded object without parsing it: where its apiVersion, kind and metadata stand among the
// top-level members.
#pragma once

#include <array>
#include <string_view>

namespace flotilla::apiserver {

struct EncodedParts {
  std::string_view api_version;  // the value without quotes
  std::string_view kind;         // the value without quotes
  std::string_view metadata;     // the value with its braces
  // The document without apiVersion and kind, in up to three pieces: how items of built-in lists are sent.
  std::array<std::string_view, 3> untyped;
};

// `bytes` must be a document that Object made: compact, with at least one member beside apiVersion and kind.
EncodedParts cut(std::string_view bytes);

}  // namespace flotilla::apiserver
