// SPDX-License-Identifier: Apache-2.0
// What agents of pull clusters may do in a control plane: the objects of rbac.authorization.k8s.io that
// Karmada's installation and registration make.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::api {

// Users and groups of certificates and tokens.
inline constexpr std::string_view kAgentGroup = "system:karmada:agents";
inline constexpr std::string_view kAgentUserPrefix = "system:karmada:agent:";
inline constexpr std::string_view kAgentRightsGiver = "system:karmada:agent:rbac-generator";
inline constexpr std::string_view kAgentTokenGroup = "system:bootstrappers:karmada:default-cluster-token";
inline constexpr std::string_view kAgentSigner = "kubernetes.io/kube-apiserver-client";

std::string agent_user(std::string_view cluster);

// Of one agent, in the order in which they are made: a ClusterRole, its binding, a Role and binding for its
// secrets in `ns`, the same for the Works of its execution namespace.
std::vector<Json> agent_rights(std::string_view cluster, std::string_view ns);

// Of a control plane that agents may register with: tokens ask for certificates, which are approved; a
// certificate may be renewed; during registration the rights above may be made.
std::vector<Json> agent_admission_rights();

// "/apis/rbac.authorization.k8s.io/v1/...": the collection of one of these objects.
std::string rights_collection(const Json& object);

}  // namespace flotilla::api
