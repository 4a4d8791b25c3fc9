// SPDX-License-Identifier: Apache-2.0
// Client-side apply: what was applied is written down on the object, and the next one is merged with it and
// with what is there now.
#pragma once

#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::api {

inline constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// The object with what was applied written into it, as kubectl apply does, so that both tools work on one
// object.
Json with_last_applied(const Json& object);
// A merge patch from `live` to `wanted`: what `last` had and `wanted` has no more is removed. Empty: nothing
// to do.
Json three_way_patch(const Json& last, const Json& wanted, const Json& live);

}  // namespace flotilla::api
