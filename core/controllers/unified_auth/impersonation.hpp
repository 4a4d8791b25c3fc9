// SPDX-License-Identifier: Apache-2.0
// Whom the control plane may speak for in a member: those who may use clusters/proxy of it here. In the
// member they have their own rights; the service account karmada-impersonator gets the right to take their
// names. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::controllers {

inline constexpr std::string_view kImpersonator = "karmada-impersonator";

// Whether a ClusterRole allows the proxy of this cluster (empty: of any cluster at all).
bool allows_proxy(const api::Json& cluster_role, std::string_view cluster);

// The rules of the ClusterRole karmada-impersonator for subjects of ClusterRoleBindings: users, service
// accounts, groups, each named once, ascending.
api::Json impersonation_rules(std::span<const api::Json> subjects);

// The ClusterRole and the ClusterRoleBinding as they go to the member; `name_space` is that of the service
// account.
api::Json impersonator_role(api::Json rules);
api::Json impersonator_role_binding(std::string_view name_space);

}  // namespace flotilla::controllers
