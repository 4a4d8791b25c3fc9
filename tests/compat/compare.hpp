// SPDX-License-Identifier: Apache-2.0
// How an answer is held against a recorded one. The rules are those of the README beside the recordings:
// empty members carry no meaning, some lists are sets, quantities go by value, "<now>" and "<uuid>" stand for
// any value of their form, errors are compared by class and, for some topics, by message.
#pragma once

#include <string>
#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::compat {

struct CompareOptions {
  bool messages = false;  // also compare the messages that stem from libraries of the original
};

// Empty when `answer` is right for a line of the file (`expected`, or one of `expected_any`); else the first
// difference, on one line.
std::string difference(const api::Json& line, const api::Json& answer, const CompareOptions& options);

// True for two quantities of equal value: "1" and "1000m", "0.5Gi" and "512Mi".
bool equal_quantities(std::string_view a, std::string_view b);

}  // namespace flotilla::compat
