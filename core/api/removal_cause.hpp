// SPDX-License-Identifier: Apache-2.0
// Why something of ours goes from a member cluster, as it is written down: on the Work that goes, and by
// cluster on its binding. docs/design/guarded-removal.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"

namespace flotilla::api {

namespace annotations {
// On a Work: JSON of one RemovalCause, with "held" where it has to wait. On a binding: a JSON object of them
// by cluster.
inline constexpr std::string_view kRemovalCause = "flotilla.io/removal-cause";
// On a binding: clusters, joined by commas, that a person lets go; "*" is all.
inline constexpr std::string_view kApproveRemoval = "flotilla.io/approve-removal";
// On a policy or Cluster: any new value closes a breaker that has tripped.
inline constexpr std::string_view kResetRemovalBreaker = "flotilla.io/reset-removal-breaker";
}  // namespace annotations

namespace conditions {
// Of a binding, while anything is held: a Work that is to go, an eviction that is to end.
inline constexpr std::string_view kRemovalHeld = "RemovalHeld";
inline constexpr std::string_view kEvictionHeld = "EvictionHeld";
}  // namespace conditions

enum class RemovalReason : std::uint8_t {
  // Somebody asked for it.
  TemplateDeleted,
  BindingDeleted,
  ClusterRemoved,
  EvictionConfirmed,
  Approved,
  ScaledToZero,
  NotRequired,
  // The control plane decided it.
  PurgedDirectly,
  PlacementChanged,
  Rescheduled,
  NoClusterFits,
  Evicted,
};
inline constexpr int kRemovalReasons = 12;

std::string_view to_string(RemovalReason reason);
std::optional<RemovalReason> parse_removal_reason(std::string_view text);
// A person said so: nothing holds it, nothing counts it.
bool is_asked_for(RemovalReason reason);

struct RemovalCause {
  RemovalReason reason = RemovalReason::Rescheduled;
  std::string by;       // "user", "scheduler", the producer of an eviction task
  std::string message;  // one sentence
  std::string since;    // metav1.Time
  std::string held;     // why it waits; empty: it does not

  std::string text() const;  // "Evicted by TaintManager: ..."
};

Json to_json(const RemovalCause& cause);
// Nullopt where there is none that can be read.
std::optional<RemovalCause> removal_cause_of_work(const Json& work);
std::optional<RemovalCause> removal_cause_of_binding(const Json& binding, std::string_view cluster);

// Writes the cause down on the binding; the oldest of more than 16 are forgotten.
void note_removal(Json& binding, std::string_view cluster, const RemovalCause& cause);
// The cluster is wanted again. False: nothing was written down.
bool forget_removal(Json& binding, std::string_view cluster);
// Whether kApproveRemoval names the cluster.
bool is_removal_approved(const Json& binding, std::string_view cluster);

}  // namespace flotilla::api
