// SPDX-License-Identifier: Apache-2.0
// The record of applied overrides as it is written onto Works.
#pragma once

#include <string>

#include "core/api/json.hpp"

namespace flotilla::overrides {

// Outcome::applied_overrides as text: members in the order in which the API's Go types declare them and with
// what HTML would act upon escaped, so that the text equals Karmada's and a Work is not rewritten when one
// takes over from the other.
std::string applied_text(const api::Json& applied);

}  // namespace flotilla::overrides
