// SPDX-License-Identifier: Apache-2.0
// From the Works of a binding to the status of the binding. Pure.
#pragma once

#include <functional>
#include <span>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

// Whether a cluster is heard of now. What another one last said is shown, but its health is Unknown.
using IsHeard = std::function<bool(const std::string& cluster)>;

// The aggregatedStatus list of a binding, ascending by cluster. Works that are being deleted, and those of
// another permanent id, do not count. `is_heard` empty: all are. Errors: Invalid ("no such manifest exist")
// when a Work's manifest is not the binding's.
Result<api::Json> aggregate_works(const api::Json& binding, std::span<const api::Json* const> works,
                                  const IsHeard& is_heard = {});

// binding.status with `aggregated` and the condition FullyApplied; all else as it is.
api::Json binding_status(const api::Json& binding, api::Json aggregated, WallTime now);

}  // namespace flotilla::controllers
