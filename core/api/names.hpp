// SPDX-License-Identifier: Apache-2.0
// Every name that Karmada generates. Objects are found by these names, so they are its names byte for byte;
// where Karmada's rule lets two objects share a name (bindings of equally named kinds of two groups), so does
// ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace flotilla::api {

inline constexpr std::string_view kSystemNamespace = "karmada-system";
inline constexpr std::string_view kClusterNamespace = "karmada-cluster";
inline constexpr std::string_view kExecutionNamespacePrefix = "karmada-es-";
inline constexpr std::string_view kEstimatorServicePrefix = "karmada-scheduler-estimator";

// (Cluster)ResourceBinding of a template: kind without group.
std::string binding_name(std::string_view kind, std::string_view name);
// Work of a template, in the execution namespace of each cluster; an empty namespace is cluster-scoped.
std::string work_name(std::string_view kind, std::string_view name, std::string_view name_space);
// Names an independent binding within a label key.
std::string binding_reference_key(std::string_view name_space, std::string_view name);
// Namespace that holds the Works of a cluster, and the way back.
std::string execution_namespace(std::string_view cluster);
Result<std::string> cluster_of_execution_namespace(std::string_view name_space);
bool is_execution_namespace(std::string_view name_space);
// Namespaces of the control plane itself; nothing in them is propagated.
bool is_reserved_namespace(std::string_view name_space);

// In the member, for push mode.
std::string service_account_name(std::string_view cluster);
std::string role_name(std::string_view service_account);
std::string impersonation_secret_name(std::string_view cluster);

std::string imported_endpoint_slice_name(std::string_view slice, std::string_view cluster);
std::string derived_service_name(std::string_view service);
std::string estimator_service_name(std::string_view prefix, std::string_view cluster);
// Policy made when a member's object is promoted; gvk as "apps/v1, Kind=Deployment".
std::string promoted_policy_name(std::string_view name_space, std::string_view name, std::string_view gvk);

// 32 bit FNV-1a in Kubernetes' safe alphabet: the suffix of generated names.
std::string name_hash(std::string_view text);
std::uint32_t fnv1a_32(std::string_view text);

// Lower case of UTF-8 text, simple mappings of Latin, Greek, Cyrillic, Armenian; the rest stays as it is.
std::string to_lower(std::string_view text);

}  // namespace flotilla::api
