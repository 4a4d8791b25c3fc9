// SPDX-License-Identifier: Apache-2.0
// A ResourceInterpreterCustomization as one Lua document, as people edit it:
//
//   -- what this is, and what was wrong with it the last time
//   ---@name: game
//   ---@apiVersion: example.io/v1
//   ---@kind: Game
//   ---@rule: Retain
//   function Retain(desiredObj, observedObj)
//     ...
//
// Every operation has its marker, those without a script as well. Comments above the first marker are
// dropped, those below a rule belong to its script.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::ctl {

// With `document`, what each function is given and gives stands below its marker.
std::string customization_document(const api::Json& customization, bool document);

// Texts as comments, for the head.
std::string commented(const std::vector<std::string>& texts);

// `customization` with the name, the target and the scripts of the text. A rule that is left out, or that has
// nothing below it, has no script. Errors: Invalid, a line that belongs nowhere.
Result<api::Json> edited_customization(const api::Json& customization, std::string_view text);

// The text without the comments above its first marker: what is held against an earlier edit, and what is
// shown again below new comments.
std::string_view without_head(std::string_view text);

}  // namespace flotilla::ctl
