// SPDX-License-Identifier: Apache-2.0
// YAML texts as JSON values and back, in the form that Kubernetes' tools write: sorted keys, lists at the
// column of their key, lines folded beyond column 80, quotes only where a text would mean something else
// without.
#pragma once

#include <flotilla/sdk/json.hpp>

#include <string>
#include <string_view>

namespace flotilla::plugins::field {

// The first document. Anchors are expanded, merge keys merged, keys turned into text. Throws sdk::Failure.
sdk::Json read_yaml(const std::string& text);

std::string write_yaml(const sdk::Json& value);

}  // namespace flotilla::plugins::field
