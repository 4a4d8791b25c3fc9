// SPDX-License-Identifier: Apache-2.0
// Which taints and remedies the conditions of a cluster call for. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

inline constexpr std::string_view kTaintNotReady = "cluster.karmada.io/not-ready";
inline constexpr std::string_view kTaintUnreachable = "cluster.karmada.io/unreachable";

// spec.taints with those of the Ready condition, all NoSchedule:
//   True     neither
//   Unknown  unreachable
//   False    not-ready
//   absent   not-ready, and unreachable where it is so already
// Taints that are right already keep the time they were added.
api::Json taints_by_condition(const api::Json& cluster, WallTime now);

// spec.taints after ClusterTaintPolicies in the given order: each first adds, when all its addOnConditions
// hold, then removes, when all its removeOnConditions hold. An empty list of conditions never holds, nor does
// a condition that the cluster does not have.
api::Json taints_by_policies(const api::Json& cluster, std::span<const api::Json> policies, WallTime now);

// spec.taints becomes `taints`; no taints are no member.
void set_taints(api::Json& cluster, api::Json taints);
// The taints of a cluster as its events tell them.
std::string taints_text(const api::Json& cluster);

// status.remedyActions: the sorted set of actions of all Remedies that mean this cluster and of whose
// conditions any holds.
api::Json remedy_actions(const api::Json& cluster, std::span<const api::Json> remedies);

}  // namespace flotilla::controllers
