// SPDX-License-Identifier: Apache-2.0
#include "catalog.hpp"

namespace flotilla::simulated {

std::span<const Resource> built_in_resources() {
  static constexpr bool kCluster = false;
  static constexpr bool kStatus = true;
  static constexpr Resource kAll[] = {
      {"", "v1", "configmaps", "ConfigMap"},
      {"", "v1", "endpoints", "Endpoints"},
      {"", "v1", "events", "Event"},
      {"", "v1", "limitranges", "LimitRange"},
      {"", "v1", "namespaces", "Namespace", kCluster, kStatus},
      {"", "v1", "nodes", "Node", kCluster, kStatus},
      {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true, kStatus},
      {"", "v1", "persistentvolumes", "PersistentVolume", kCluster, kStatus},
      {"", "v1", "pods", "Pod", true, kStatus},
      {"", "v1", "podtemplates", "PodTemplate"},
      {"", "v1", "replicationcontrollers", "ReplicationController", true, kStatus},
      {"", "v1", "resourcequotas", "ResourceQuota", true, kStatus},
      {"", "v1", "secrets", "Secret"},
      {"", "v1", "serviceaccounts", "ServiceAccount"},
      {"", "v1", "services", "Service", true, kStatus},
      {"admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
       kCluster},
      {"admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations",
       "ValidatingWebhookConfiguration", kCluster},
      {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", kCluster,
       kStatus},
      {"apps", "v1", "controllerrevisions", "ControllerRevision"},
      {"apps", "v1", "daemonsets", "DaemonSet", true, kStatus},
      {"apps", "v1", "deployments", "Deployment", true, kStatus},
      {"apps", "v1", "replicasets", "ReplicaSet", true, kStatus},
      {"apps", "v1", "statefulsets", "StatefulSet", true, kStatus},
      {"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", true, kStatus},
      {"batch", "v1", "cronjobs", "CronJob", true, kStatus},
      {"batch", "v1", "jobs", "Job", true, kStatus},
      {"coordination.k8s.io", "v1", "leases", "Lease"},
      {"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"},
      {"networking.k8s.io", "v1", "ingressclasses", "IngressClass", kCluster},
      {"networking.k8s.io", "v1", "ingresses", "Ingress", true, kStatus},
      {"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"},
      {"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true, kStatus},
      {"rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", kCluster},
      {"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", kCluster},
      {"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"},
      {"rbac.authorization.k8s.io", "v1", "roles", "Role"},
      {"scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", kCluster},
      {"storage.k8s.io", "v1", "storageclasses", "StorageClass", kCluster},
  };
  return kAll;
}

}  // namespace flotilla::simulated
