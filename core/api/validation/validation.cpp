// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/validation.hpp"

#include <algorithm>
#include <span>

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
    {"coordination.k8s.io", "Lease", validation::lease},
    {"node.k8s.io", "RuntimeClass", validation::runtime_class},
    {"storage.k8s.io", "CSINode", validation::csi_node},
    {"storage.k8s.io", "CSIStorageCapacity", validation::storage_capacity},
    {"apiextensions.k8s.io", "CustomResourceDefinition", validation::custom_resource_definition},
    {"", "Event", validation::event},
    {"events.k8s.io", "Event", validation::event},
    {"certificates.k8s.io", "CertificateSigningRequest", validation::signing_request},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration", validation::webhook_configuration},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", validation::webhook_configuration},
};

constexpr Entry kStatusRules[] = {
    {"", "Pod", validation::pod_status},
    {"", "Service", validation::load_balancer_status},
    {"networking.k8s.io", "Ingress", validation::load_balancer_status},
    {"", "ReplicationController", validation::replica_set_status},
    {"apps", "ReplicaSet", validation::replica_set_status},
    {"apps", "Deployment", validation::deployment_status},
    {"apps", "StatefulSet", validation::stateful_set_status},
    {"apps", "DaemonSet", validation::daemon_set_status},
    {"batch", "Job", validation::job_status},
    {"autoscaling", "HorizontalPodAutoscaler", validation::autoscaler_status},
    {"policy", "PodDisruptionBudget", validation::disruption_budget_status},
    {"", "Namespace", validation::namespace_status},
    {"", "Node", validation::node_status},
    {"", "PersistentVolumeClaim", validation::volume_claim_status},
    {"", "ResourceQuota", validation::resource_quota_status},
    {"certificates.k8s.io", "CertificateSigningRequest", validation::signing_request},
    {"apiextensions.k8s.io", "CustomResourceDefinition", validation::custom_resource_definition_status},
    {"apiregistration.k8s.io", "APIService", validation::api_service_status},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", validation::conditions_status},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", validation::conditions_status},
};

void run_rules(std::span<const Entry> rules, const validation::Subject& subject) {
  for (const Entry& entry : rules) {
    if (entry.group == subject.resource.group && entry.kind == subject.resource.kind) entry.rule(subject);
  }
}

// Errors after which rules are not looked at: they could not be trusted.
bool blocks_rules(const FieldErrors& errors) {
  static constexpr std::string_view kBlocking[] = {"FieldValueNotSupported", "FieldValueRequired",
                                                   "FieldValueTooLong", "FieldValueTooMany",
                                                   "FieldValueTypeInvalid"};
  return std::any_of(errors.causes().begin(), errors.causes().end(), [](const Cause& one) {
    return std::find(std::begin(kBlocking), std::end(kBlocking), one.reason) != std::end(kBlocking);
  });
}

void validate_custom_resource(const Resource& resource, const Json& object, const Json& live,
                              std::string_view subresource, FieldErrors& errors) {
  const Json* old = live.is_null() ? nullptr : &live;
  // Through /status only the status has to be right.
  const Field* status = subresource == "status" ? resource.schema->field("status") : nullptr;
  if (!status) {
    validate_custom(*resource.schema, object, old, "", errors);
  } else if (object.contains("status")) {
    validate_custom(*status->schema, object["status"], old ? old->find("status") : nullptr, "status", errors);
  }
  if (!resource.types) return;
  validate_custom_lists(*resource.schema, object, old, errors);
  if (!resource.rules) return;
  if (blocks_rules(errors)) {
    errors.add_literal(
        "FieldValueInvalid", "<nil>",
        "Invalid value: \"null\": some validation rules were not checked because the object was "
        "invalid; correct the existing errors to complete validation");
  } else {
    resource.rules->check(object, live, errors);
  }
}

}  // namespace

FieldErrors validate(const Resource& resource, const Json& object, const Json& live,
                     std::string_view subresource, const RuleLanguage* rules) {
  FieldErrors errors;
  validate_metadata(resource, object, errors);
  if (!live.is_null()) {
    validate_metadata_update(object, live, errors);
    // Kubernetes checks typed kinds twice; clients see the causes twice and the message once.
    if (resource.traits.typed) validate_metadata_update(object, live, errors);
  }
  if (!resource.traits.typed) {
    validate_custom_resource(resource, object, live, subresource, errors);
    return errors;
  }
  const validation::Subject subject{resource, FieldView(object, "", errors), live, subresource, rules};
  if (subresource == "status") {
    run_rules(kStatusRules, subject);
  } else {
    run_rules(kRules, subject);
  }
  return errors;
}

}  // namespace flotilla::api
