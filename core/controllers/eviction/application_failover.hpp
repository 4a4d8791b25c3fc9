// SPDX-License-Identifier: Apache-2.0
// When a workload that its cluster reports unhealthy is moved on, and what its eviction task says. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/feature_gates.hpp"
#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

// Since when the copy in each cluster is seen unhealthy.
using UnhealthySince = std::map<std::string, WallTime, std::less<>>;

// Whether the binding asks for application failover and there is a status to judge by. (Whether the kind's
// health can be interpreted is another matter.)
bool wants_application_failover(const api::Json& binding);

struct ApplicationVerdict {
  std::vector<std::string> evict;
  std::optional<Duration> look_again_in;  // when the next one may be due
};

// Copies that are unhealthy for longer than tolerationSeconds are to be evicted. `since` is brought up to
// date: healthy and unknown ones, those evicted already and clusters that are no targets are forgotten.
ApplicationVerdict judge_application(const api::Json& binding, UnhealthySince& since, WallTime now);

// Members of the task for evict(). Errors: Invalid (a purge mode that needs the gate GracefulEviction),
// Unavailable (the state to preserve has not been reported), or what is wrong with a rule.
Result<api::Json> application_task(const api::Json& binding, std::string_view cluster,
                                   const api::FeatureGates& gates);

// The same for an eviction because of taints; `default_mode` where the binding names none.
Result<api::Json> taint_task(const api::Json& binding, std::string_view cluster,
                             std::string_view default_mode, const api::FeatureGates& gates);

}  // namespace flotilla::controllers
