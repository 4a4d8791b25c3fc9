// SPDX-License-Identifier: Apache-2.0
// metav1.Condition lists: one entry per type, lastTransitionTime moves only when the status does.
#pragma once

#include <string_view>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"

namespace flotilla::api {

struct Condition {
  std::string_view type;
  std::string_view status;  // "True", "False", "Unknown"
  std::string_view reason;
  std::string_view message;
};

// Sets or adds; `conditions` null becomes a list. False when nothing changed.
bool set_condition(Json& conditions, const Condition& condition, WallTime now);
// Null when there is none of this type.
const Json* find_condition(const Json& conditions, std::string_view type);
bool is_condition_true(const Json& conditions, std::string_view type);

}  // namespace flotilla::api
