// SPDX-License-Identifier: Apache-2.0
// The numbers that a status consists of, and whether a zero is written. Internal to this room.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::interpreter {

// The API's own types leave some counts out when they are zero and always write others.
enum class Zero : std::uint8_t { Drop, Keep };

struct CountField {
  std::string_view name;
  Zero zero = Zero::Drop;
};

inline constexpr CountField kDeploymentCounts[] = {
    {"replicas"}, {"updatedReplicas"}, {"readyReplicas"}, {"availableReplicas"}, {"unavailableReplicas"}};
inline constexpr CountField kReplicaSetCounts[] = {
    {"replicas", Zero::Keep}, {"readyReplicas"}, {"availableReplicas"}};
inline constexpr CountField kStatefulSetCounts[] = {{"availableReplicas", Zero::Keep},
                                                    {"currentReplicas"},
                                                    {"readyReplicas"},
                                                    {"replicas", Zero::Keep},
                                                    {"updatedReplicas"}};
inline constexpr CountField kDaemonSetCounts[] = {{"currentNumberScheduled", Zero::Keep},
                                                  {"desiredNumberScheduled", Zero::Keep},
                                                  {"numberMisscheduled", Zero::Keep},
                                                  {"numberReady", Zero::Keep},
                                                  {"numberAvailable"},
                                                  {"numberUnavailable"},
                                                  {"updatedNumberScheduled"}};
inline constexpr CountField kJobCounts[] = {{"active"}, {"succeeded"}, {"failed"}};
inline constexpr CountField kDisruptionBudgetCounts[] = {{"disruptionsAllowed", Zero::Keep},
                                                         {"expectedPods", Zero::Keep},
                                                         {"desiredHealthy", Zero::Keep},
                                                         {"currentHealthy", Zero::Keep}};
inline constexpr CountField kAutoscalerCounts[] = {{"currentReplicas"}, {"desiredReplicas", Zero::Keep}};

inline void set_count(api::Json& status, const CountField& field, std::int64_t value) {
  if (value == 0 && field.zero == Zero::Drop) {
    status.erase(field.name);
  } else {
    status.set(field.name, value);
  }
}

}  // namespace flotilla::interpreter
