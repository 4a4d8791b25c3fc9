// SPDX-License-Identifier: Apache-2.0
// From the replicas that the metrics ask for to those that an autoscaler may set: stabilisation windows,
// scaling policies, bounds. Kubernetes' HorizontalPodAutoscaler, with its reasons and messages. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"

namespace flotilla::controllers {

// What an autoscaler remembers between two looks.
struct AutoscaleMemory {
  struct Recommendation {
    std::int64_t replicas;
    WallTime at;
  };
  struct Step {
    std::int64_t change;  // above zero
    WallTime at;
  };
  std::vector<Recommendation> recommendations;  // as the metrics asked, before anything below
  std::vector<Step> ups, downs;
};

struct LimitRequest {
  const api::Json& behavior;  // spec.behavior; null: the plain rules
  std::int64_t current = 0;
  std::int64_t wanted = 0;
  std::int64_t least = 1;
  std::int64_t most = 1;
  Duration downscale_stabilization{0};
  WallTime now;
};

struct LimitReason {
  std::string_view reason;  // literals
  std::string_view message;
};
struct Limited {
  std::int64_t replicas = 0;
  bool stabilized = false;
  LimitReason able;  // of the condition AbleToScale, which is True
  bool limited = false;
  LimitReason limit;  // of the condition ScalingLimited
};

// Remembers what was wanted.
Limited limit_replicas(AutoscaleMemory& memory, const LimitRequest& request);
// Remembers that the replicas were changed; only with a behavior does it matter.
void note_step(AutoscaleMemory& memory, const api::Json& behavior, std::int64_t before, std::int64_t after,
               WallTime now);

}  // namespace flotilla::controllers
