// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/kinds.hpp"

namespace flotilla::controllers {

namespace kinds {
//                                            group  version  kind  resource  namespaced  status  generation
const StoredKind kNamespace{{"", "v1", "Namespace"}, "namespaces", false, true, false};
const StoredKind kSecret{{"", "v1", "Secret"}, "secrets", true, false, false};
const StoredKind kLease{{"coordination.k8s.io", "v1", "Lease"}, "leases", true, false, false};
const StoredKind kCluster{{"cluster.karmada.io", "v1alpha1", "Cluster"}, "clusters", false, true, true};
const StoredKind kWork{{"work.karmada.io", "v1alpha1", "Work"}, "works", true, true, true};
const StoredKind kResourceBinding{
    {"work.karmada.io", "v1alpha2", "ResourceBinding"}, "resourcebindings", true, true, true};
const StoredKind kClusterResourceBinding{
    {"work.karmada.io", "v1alpha2", "ClusterResourceBinding"}, "clusterresourcebindings", false, true, true};
const StoredKind kPropagationPolicy{
    {"policy.karmada.io", "v1alpha1", "PropagationPolicy"}, "propagationpolicies", true, false, true};
const StoredKind kClusterPropagationPolicy{{"policy.karmada.io", "v1alpha1", "ClusterPropagationPolicy"},
                                           "clusterpropagationpolicies",
                                           false,
                                           false,
                                           true};
const StoredKind kClusterTaintPolicy{
    {"policy.karmada.io", "v1alpha1", "ClusterTaintPolicy"}, "clustertaintpolicies", false, false, true};
const StoredKind kOverridePolicy{
    {"policy.karmada.io", "v1alpha1", "OverridePolicy"}, "overridepolicies", true, false, true};
const StoredKind kClusterOverridePolicy{{"policy.karmada.io", "v1alpha1", "ClusterOverridePolicy"},
                                        "clusteroverridepolicies",
                                        false,
                                        false,
                                        true};

const StoredKind kService{{"", "v1", "Service"}, "services", true, true, false, false, false, true};
const StoredKind kEndpointSlice{
    {"discovery.k8s.io", "v1", "EndpointSlice"}, "endpointslices", true, false, true};
const StoredKind kDeployment{
    {"apps", "v1", "Deployment"}, "deployments", true, true, true, false, true, true};
const StoredKind kHorizontalPodAutoscaler{{"autoscaling", "v2", "HorizontalPodAutoscaler"},
                                          "horizontalpodautoscalers",
                                          true,
                                          true,
                                          false,
                                          false,
                                          false,
                                          true};

const StoredKind kFederatedResourceQuota{
    {"policy.karmada.io", "v1alpha1", "FederatedResourceQuota"}, "federatedresourcequotas", true, true, true};
const StoredKind kWorkloadRebalancer{
    {"apps.karmada.io", "v1alpha1", "WorkloadRebalancer"}, "workloadrebalancers", false, true, true};
const StoredKind kFederatedHpa{
    {"autoscaling.karmada.io", "v1alpha1", "FederatedHPA"}, "federatedhpas", true, true, true};
const StoredKind kCronFederatedHpa{
    {"autoscaling.karmada.io", "v1alpha1", "CronFederatedHPA"}, "cronfederatedhpas", true, true, true};
const StoredKind kRemedy{{"remedy.karmada.io", "v1alpha1", "Remedy"}, "remedies", false, false, true};
const StoredKind kMultiClusterService{
    {"networking.karmada.io", "v1alpha1", "MultiClusterService"}, "multiclusterservices", true, true, true};
const StoredKind kServiceImport{
    {"multicluster.x-k8s.io", "v1alpha1", "ServiceImport"}, "serviceimports", true, true, true};
}  // namespace kinds

const BindingScope kNamespacedScope{kinds::kResourceBinding, api::finalizers::kBinding,
                                    api::labels::kResourceBindingId, true};
const BindingScope kClusterScope{kinds::kClusterResourceBinding, api::finalizers::kClusterBinding,
                                 api::labels::kClusterResourceBindingId, false};

const BindingScope& scope_of_template(std::string_view ns) {
  return ns.empty() ? kClusterScope : kNamespacedScope;
}

const BindingScope& scope_of(const Collection& collection) {
  return collection == kinds::kResourceBinding.collection() ? kNamespacedScope : kClusterScope;
}

std::vector<Collection> binding_collections() {
  return {kNamespacedScope.kind.collection(), kClusterScope.kind.collection()};
}

std::optional<BindingRef> binding_of_work(const Json& work) {
  const std::string_view name = api::annotation_of(work, api::annotations::kResourceBindingName);
  if (!name.empty()) {
    const std::string_view ns = api::annotation_of(work, api::annotations::kResourceBindingNamespace);
    return BindingRef{&kNamespacedScope, {std::string(ns), std::string(name)}};
  }
  const std::string_view cluster_name =
      api::annotation_of(work, api::annotations::kClusterResourceBindingName);
  if (!cluster_name.empty()) return BindingRef{&kClusterScope, {"", std::string(cluster_name)}};
  return std::nullopt;
}

}  // namespace flotilla::controllers
