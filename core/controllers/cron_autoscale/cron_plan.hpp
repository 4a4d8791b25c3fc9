// SPDX-License-Identifier: Apache-2.0
// CronFederatedHPA: when its rules are due, what they change, and what is written down of that. Pure but for
// the time zones, which are read from the system.
#pragma once

#include <optional>
#include <string_view>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

// When a rule runs next, strictly after `after`. Errors: Invalid, its schedule or time zone.
Result<WallTime> next_execution(const api::Json& rule, WallTime after);

// The history of a rule is one entry of status.executionHistories. Nullopt: suspended, it runs no more.
void set_next_execution(api::Json& status, std::string_view rule, std::optional<WallTime> next);
// Drops histories of rules that are not in the spec any more. False: there were none.
bool drop_old_histories(api::Json& status, const api::Json& spec);

// An execution, newest first, at most as many as the rule's limits say. False: the rule has no history, so
// it is suspended or gone.
struct Execution {
  WallTime now;
  std::optional<WallTime> next;
  std::string_view failure;  // empty: it succeeded
};
bool record_execution(api::Json& status, const api::Json& rule, const Execution& execution);

// A rule whose target is a FederatedHPA: sets its bounds. False: they are so already.
bool set_bounds(api::Json& autoscaler, const api::Json& rule);

}  // namespace flotilla::controllers
