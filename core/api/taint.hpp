// SPDX-License-Identifier: Apache-2.0
// Taints and tolerations as Kubernetes matches them, one pair at a time. (The scheduler compiles the same
// rule to bitsets over all clusters.)
#pragma once

#include <span>
#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::api {

inline constexpr std::string_view kNoSchedule = "NoSchedule";
inline constexpr std::string_view kNoExecute = "NoExecute";

// Empty key, operator Exists: every taint. Empty effect: every effect.
bool tolerates(const Json& toleration, const Json& taint);

// The first that tolerates the taint; null where none does.
const Json* find_toleration(std::span<const Json> tolerations, const Json& taint);

// Two taints are one when key and effect are equal, whatever the value.
bool is_same_taint(const Json& a, const Json& b);

}  // namespace flotilla::api
