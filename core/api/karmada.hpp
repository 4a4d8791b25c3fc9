// SPDX-License-Identifier: Apache-2.0
// Karmada's well-known words: API groups, labels, annotations, finalizers, condition types, event reasons.
// They are part of its API, so they are written down once, here, and nowhere spelled out again.
#pragma once

#include <string_view>

namespace flotilla::api {

// The value that marks true in labels.
inline constexpr std::string_view kTrue = "true";

namespace groups {
inline constexpr std::string_view kPolicy = "policy.karmada.io";
inline constexpr std::string_view kWork = "work.karmada.io";
inline constexpr std::string_view kCluster = "cluster.karmada.io";
inline constexpr std::string_view kConfig = "config.karmada.io";
inline constexpr std::string_view kNetworking = "networking.karmada.io";
inline constexpr std::string_view kSearch = "search.karmada.io";
inline constexpr std::string_view kAutoscaling = "autoscaling.karmada.io";
inline constexpr std::string_view kRemedy = "remedy.karmada.io";
inline constexpr std::string_view kApps = "apps.karmada.io";
inline constexpr std::string_view kMultiCluster = "multicluster.x-k8s.io";
}  // namespace groups

namespace versions {
inline constexpr std::string_view kPolicy = "policy.karmada.io/v1alpha1";
inline constexpr std::string_view kBinding = "work.karmada.io/v1alpha2";
inline constexpr std::string_view kWork = "work.karmada.io/v1alpha1";
inline constexpr std::string_view kCluster = "cluster.karmada.io/v1alpha1";
}  // namespace versions

namespace labels {
// Permanent ids: random version 4 UUIDs that admission gives. A Work carries that of its binding and is found
// by it.
inline constexpr std::string_view kPropagationPolicyId = "propagationpolicy.karmada.io/permanent-id";
inline constexpr std::string_view kClusterPropagationPolicyId =
    "clusterpropagationpolicy.karmada.io/permanent-id";
inline constexpr std::string_view kResourceBindingId = "resourcebinding.karmada.io/permanent-id";
inline constexpr std::string_view kClusterResourceBindingId =
    "clusterresourcebinding.karmada.io/permanent-id";
inline constexpr std::string_view kWorkId = "work.karmada.io/permanent-id";
inline constexpr std::string_view kMultiClusterServiceId = "multiclusterservice.karmada.io/permanent-id";

// kTrue on every object in a member that Karmada applied.
inline constexpr std::string_view kManaged = "karmada.io/managed";
// kTrue on objects the control plane makes for itself: execution namespaces, its secrets.
inline constexpr std::string_view kSystem = "karmada.io/system";
// On a template: any value but the empty one makes the detector pass it by.
inline constexpr std::string_view kClaimedBy = "resourcetemplate.karmada.io/claimed-by";
// On a template: kTrue keeps the member's own spec.replicas.
inline constexpr std::string_view kRetainReplicas = "resourcetemplate.karmada.io/retain-replicas";
// On anything: the value kDeletionProtectedAlways denies DELETE.
inline constexpr std::string_view kDeletionProtected = "resourcetemplate.karmada.io/deletion-protected";
inline constexpr std::string_view kDeletionProtectedAlways = "Always";
// On a namespace: kTrue keeps it off the members.
inline constexpr std::string_view kSkipAutoPropagation = "namespace.karmada.io/skip-auto-propagation";
inline constexpr std::string_view kBindingManagedBy = "binding.karmada.io/managed-by";
// On an attached binding: this prefix and the reference key of the independent one; value its permanent id.
inline constexpr std::string_view kDependedByPrefix = "resourcebinding.karmada.io/depended-by-";
inline constexpr std::string_view kEndpointSliceNamespace = "endpointslice.karmada.io/namespace";
inline constexpr std::string_view kEndpointSliceName = "endpointslice.karmada.io/name";
inline constexpr std::string_view kEndpointSliceManagedBy = "endpointslice.karmada.io/managed-by";
inline constexpr std::string_view kMultiClusterServiceNamespace = "multiclusterservice.karmada.io/namespace";
inline constexpr std::string_view kMultiClusterServiceName = "multiclusterservice.karmada.io/name";
inline constexpr std::string_view kFederatedResourceQuotaNamespace =
    "federatedresourcequota.karmada.io/namespace";
inline constexpr std::string_view kFederatedResourceQuotaName = "federatedresourcequota.karmada.io/name";
}  // namespace labels

namespace annotations {
// Which policy claims this template or binding.
inline constexpr std::string_view kPropagationPolicyNamespace = "propagationpolicy.karmada.io/namespace";
inline constexpr std::string_view kPropagationPolicyName = "propagationpolicy.karmada.io/name";
inline constexpr std::string_view kClusterPropagationPolicyName = "clusterpropagationpolicy.karmada.io/name";
// On a Work and its manifest: the binding it comes from.
inline constexpr std::string_view kResourceBindingNamespace = "resourcebinding.karmada.io/namespace";
inline constexpr std::string_view kResourceBindingName = "resourcebinding.karmada.io/name";
inline constexpr std::string_view kClusterResourceBindingName = "clusterresourcebinding.karmada.io/name";
// On a manifest, and so on the object in the member: the Work it comes from.
inline constexpr std::string_view kWorkNamespace = "work.karmada.io/namespace";
inline constexpr std::string_view kWorkName = "work.karmada.io/name";
// kOverwrite or kAbort, on a template, its Work and its manifest.
inline constexpr std::string_view kConflictResolution = "work.karmada.io/conflict-resolution";
inline constexpr std::string_view kOverwrite = "overwrite";
inline constexpr std::string_view kAbort = "abort";
inline constexpr std::string_view kTemplateUid = "resourcetemplate.karmada.io/uid";
inline constexpr std::string_view kTemplateGeneration = "resourcetemplate.karmada.io/generation";
// On a manifest: sorted, comma-joined keys of what was propagated, so that what disappears here disappears
// there.
inline constexpr std::string_view kManagedLabels = "resourcetemplate.karmada.io/managed-labels";
inline constexpr std::string_view kManagedAnnotations = "resourcetemplate.karmada.io/managed-annotations";
// On a binding: JSON of the placement of the last successful schedule.
inline constexpr std::string_view kAppliedPlacement = "policy.karmada.io/applied-placement";
// On a Work: JSON of the override items that were applied.
inline constexpr std::string_view kAppliedOverrides = "policy.karmada.io/applied-overrides";
inline constexpr std::string_view kAppliedClusterOverrides = "policy.karmada.io/applied-cluster-overrides";
// On an independent binding: JSON list of what its template depends on.
inline constexpr std::string_view kDependencies = "resourcebinding.karmada.io/dependencies";
inline constexpr std::string_view kProvisionCluster = "endpointslice.karmada.io/provision-cluster";
inline constexpr std::string_view kCachedFromCluster = "resource.karmada.io/cached-from-cluster";
inline constexpr std::string_view kQueryFromCluster = "resource.karmada.io/query-from-cluster";
}  // namespace annotations

namespace finalizers {
inline constexpr std::string_view kCluster = "karmada.io/cluster-controller";
inline constexpr std::string_view kExecution = "karmada.io/execution-controller";
inline constexpr std::string_view kBinding = "karmada.io/binding-controller";
inline constexpr std::string_view kClusterBinding = "karmada.io/cluster-resource-binding-controller";
inline constexpr std::string_view kDependenciesDistributor = "karmada.io/binding-dependencies-distributor";
inline constexpr std::string_view kPropagationPolicy = "karmada.io/propagation-policy-controller";
inline constexpr std::string_view kClusterPropagationPolicy =
    "karmada.io/cluster-propagation-policy-controller";
inline constexpr std::string_view kEndpointSlice = "karmada.io/endpointslice-controller";
inline constexpr std::string_view kMultiClusterService = "karmada.io/multiclusterservice-controller";
inline constexpr std::string_view kEndpointSliceCollect = "karmada.io/mcs-endpointslice-collect-controller";
inline constexpr std::string_view kEndpointSliceDispatch = "karmada.io/mcs-endpointslice-dispatch-controller";
}  // namespace finalizers

namespace conditions {
inline constexpr std::string_view kScheduled = "Scheduled";        // of a binding
inline constexpr std::string_view kFullyApplied = "FullyApplied";  // of a binding
inline constexpr std::string_view kApplied = "Applied";            // of a Work
inline constexpr std::string_view kDispatching = "Dispatching";    // of a Work
inline constexpr std::string_view kReady = "Ready";                // of a Cluster
}  // namespace conditions

}  // namespace flotilla::api
