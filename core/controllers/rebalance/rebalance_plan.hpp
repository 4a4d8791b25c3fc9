// SPDX-License-Identifier: Apache-2.0
// WorkloadRebalancer: which bindings it has yet to touch, and what it says of itself. Pure.
#pragma once

#include <optional>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"

namespace flotilla::controllers {

// status.observedWorkloads: those of the spec with the result they have, and those that succeeded before they
// were taken out of it; sorted by apiVersion, kind, namespace and name.
api::Json observed_workloads(const api::Json& rebalancer);

bool is_settled(const api::Json& observed);  // has a result
void succeed(api::Json& observed);
void fail_for_missing_binding(api::Json& observed);

// Sets the binding's spec.rescheduleTriggeredAt to when the rebalancer was created, unless it is that late
// already. False: unchanged.
bool trigger_reschedule(api::Json& binding, const api::Json& rebalancer);

// The status with these workloads. `retries`: some are still to be tried, so it is not finished.
api::Json rebalancer_status(const api::Json& rebalancer, api::Json workloads, bool retries, WallTime now);

// How long until it is to be deleted (zero or less: now); nullopt: never.
std::optional<Duration> time_left(const api::Json& rebalancer, WallTime now);

}  // namespace flotilla::controllers
