// SPDX-License-Identifier: Apache-2.0
// What a plain YAML scalar means. The rules are YAML 1.1 as Kubernetes' tools read it: yes and on are
// booleans, 0777 is octal, a date is a text of its own type.
#pragma once

#include <flotilla/sdk/json.hpp>

#include <cstdint>
#include <string_view>

namespace flotilla::plugins::field {

enum class ScalarType : std::uint8_t { String, Null, Bool, Int, Float, Timestamp, Merge };

struct Scalar {
  ScalarType type = ScalarType::String;
  sdk::Json value;  // a Timestamp and a Merge are their text
};

Scalar resolve_plain(std::string_view text);

}  // namespace flotilla::plugins::field
