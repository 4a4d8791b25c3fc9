// SPDX-License-Identifier: Apache-2.0
// An object as people read it: its fields in words, and what happened to it.
#pragma once

#include <string>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"

namespace flotilla::ctl {

// Name, namespace, labels and annotations first, then all other fields with words for names; managed fields
// and the last applied configuration are left out.
std::string describe_object(const api::Json& object);

// The events of an EventList, the oldest first, as kubectl's table below a description. Times are ages at
// `now`.
std::string describe_events(const api::Json& events, WallTime now);

}  // namespace flotilla::ctl
