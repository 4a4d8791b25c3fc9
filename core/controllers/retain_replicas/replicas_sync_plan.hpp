// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/api/json.hpp"

namespace flotilla::controllers {

// What to do with the replicas of a Deployment that members' own autoscalers scale.
struct ReplicasSync {
  enum class Step : std::uint8_t { Leave, Wait, Set };
  Step step = Step::Leave;
  std::int64_t replicas = 0;  // of Set
};
// The template takes over what the members have together, once what it asked for last has arrived there and
// come back. Pure.
ReplicasSync plan_replicas_sync(const api::Json& deployment, const api::Json& binding);

// Whether an autoscaler has been propagated, and whether it scales this object.
bool is_propagated_autoscaler(const api::Json& autoscaler);
bool scales(const api::Json& autoscaler, const api::Json& object);

}  // namespace flotilla::controllers
