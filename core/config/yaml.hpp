// SPDX-License-Identifier: Apache-2.0
// YAML in and out of Json, read as kubectl reads it: YAML 1.1 booleans and octals, quoted scalars stay
// strings, keys are strings, duplicate keys are refused, aliases cannot blow a document up. yaml.cpp is the
// only file that knows yaml-cpp. JSON is YAML, so both kinds of file come through here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::config {

// Where each value stands: "simulation.node.cpu" -> 12.
using Lines = std::map<std::string, int, std::less<>>;

// Exactly one document; an empty text is null. Errors: BadRequest, "line 3: ...".
Result<api::Json> parse_yaml(std::string_view text, Lines* lines = nullptr);
// All documents of a stream, empty ones left out.
Result<std::vector<api::Json>> parse_yaml_documents(std::string_view text);
// One scalar as YAML reads it, for --set: "3" is a number, "yes" a boolean.
api::Json parse_yaml_scalar(std::string_view text);

// Block style as kubectl prints it, with a final newline.
std::string to_yaml(const api::Json& value);

}  // namespace flotilla::config
