// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/validation.hpp"

#include "core/api/validation/kinds.hpp"

namespace flotilla::api {
namespace {

struct Entry {
  std::string_view group, kind;
  validation::KindRule rule;
};

constexpr Entry kRules[] = {
    {"", "ConfigMap", validation::config_map},
    {"", "Secret", validation::secret},
    {"", "Service", validation::service},
    {"", "Pod", validation::pod},
    {"", "PodTemplate", validation::pod_template},
    {"", "ReplicationController", validation::replication_controller},
    {"apps", "Deployment", validation::deployment},
    {"apps", "ReplicaSet", validation::replica_set},
    {"apps", "StatefulSet", validation::stateful_set},
    {"apps", "DaemonSet", validation::daemon_set},
    {"batch", "Job", validation::job},
    {"batch", "CronJob", validation::cron_job},
    {"networking.k8s.io", "Ingress", validation::ingress},
    {"networking.k8s.io", "IngressClass", validation::ingress_class},
    {"networking.k8s.io", "NetworkPolicy", validation::network_policy},
    {"", "Endpoints", validation::endpoints},
    {"discovery.k8s.io", "EndpointSlice", validation::endpoint_slice},
    {"rbac.authorization.k8s.io", "Role", validation::role},
    {"rbac.authorization.k8s.io", "ClusterRole", validation::cluster_role},
    {"rbac.authorization.k8s.io", "RoleBinding", validation::role_binding},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", validation::cluster_role_binding},
    {"autoscaling", "HorizontalPodAutoscaler", validation::autoscaler},
    {"policy", "PodDisruptionBudget", validation::disruption_budget},
    {"scheduling.k8s.io", "PriorityClass", validation::priority_class},
    {"apps", "ControllerRevision", validation::controller_revision},
    {"", "LimitRange", validation::limit_range},
    {"", "ResourceQuota", validation::resource_quota},
    {"apiregistration.k8s.io", "APIService", validation::api_service},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", validation::flow_schema},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", validation::priority_level},
    {"", "PersistentVolumeClaim", validation::volume_claim},
    {"", "PersistentVolume", validation::persistent_volume},
    {"storage.k8s.io", "StorageClass", validation::storage_class},
    {"storage.k8s.io", "CSIDriver", validation::csi_driver},
    {"storage.k8s.io", "VolumeAttachment", validation::volume_attachment},
    {"", "Node", validation::node},
    {"apiextensions.k8s.io", "CustomResourceDefinition", validation::custom_resource_definition},
    {"", "Event", validation::event},
    {"events.k8s.io", "Event", validation::event},
    {"certificates.k8s.io", "CertificateSigningRequest", validation::signing_request},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration", validation::webhook_configuration},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", validation::webhook_configuration},
};

}  // namespace

FieldErrors validate(const Resource& resource, const Json& object, const Json& live,
                     std::string_view subresource) {
  FieldErrors errors;
  validate_metadata(resource, object, errors);
  if (!live.is_null()) {
    validate_metadata_update(object, live, errors);
    // Kubernetes checks typed kinds twice; clients see the causes twice and the message once.
    if (resource.traits.typed) validate_metadata_update(object, live, errors);
  }
  const validation::Subject subject{resource, FieldView(object, "", errors), live, subresource};
  if (!resource.traits.typed) {
    // Through /status only the status has to be right.
    const Field* status = subresource == "status" ? resource.schema->field("status") : nullptr;
    if (status) {
      if (object.contains("status")) validate_custom(*status->schema, object["status"], "status", errors);
    } else {
      validate_custom(*resource.schema, object, "", errors);
    }
    return errors;
  }
  for (const Entry& entry : kRules) {
    if (entry.rule && entry.group == resource.group && entry.kind == resource.kind) entry.rule(subject);
  }
  return errors;
}

}  // namespace flotilla::api
