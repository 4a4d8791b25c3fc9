// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/validation.hpp"

#include <algorithm>
#include <span>

#include "core/api/validation/kinds.hpp"

namespace flotilla::api {
namespace {

// On an update Kubernetes' strategies look at some things more than once, and clients see the causes as
// often.
struct Entry {
  std::string_view group, kind;
  validation::KindRule rule;      // may be null
  int metadata = 0;               // how often the strategy of an update looks at metadata as on create,
  int metadata_update = 1;        // at what an update may not change of it,
  int rules = 1;                  // at the rules
  bool plain_finalizers = false;  // finalizers need no domain
};

constexpr Entry kRules[] = {
    {"", "ConfigMap", validation::config_map, 1, 1, 1},
    {"", "Secret", validation::secret, 1, 1, 1},
    {"", "Service", validation::service, 1, 1, 1},
    {"", "ServiceAccount", nullptr, 1, 1, 1},
    {"", "Namespace", validation::namespace_object, 1, 1, 1},
    {"", "Pod", validation::pod, 1, 1, 1},
    {"", "PodTemplate", validation::pod_template, 0, 1, 1},
    {"", "ReplicationController", validation::replication_controller, 1, 1, 2},
    {"apps", "Deployment", validation::deployment, 0, 1, 1},
    {"apps", "ReplicaSet", validation::replica_set, 1, 1, 2},
    {"apps", "StatefulSet", validation::stateful_set, 1, 1, 1},
    {"apps", "DaemonSet", validation::daemon_set, 1, 1, 2},
    {"batch", "Job", validation::job, 1, 1, 1},
    {"batch", "CronJob", validation::cron_job, 0, 1, 1},
    {"networking.k8s.io", "Ingress", validation::ingress, 1, 1, 1},
    {"networking.k8s.io", "IngressClass", validation::ingress_class, 1, 1, 1},
    {"networking.k8s.io", "NetworkPolicy", validation::network_policy, 0, 1, 1},
    {"", "Endpoints", validation::endpoints, 1, 1, 1},
    {"discovery.k8s.io", "EndpointSlice", validation::endpoint_slice, 1, 0, 1},
    {"rbac.authorization.k8s.io", "Role", validation::role, 2, 1, 2},
    {"rbac.authorization.k8s.io", "ClusterRole", validation::cluster_role, 2, 1, 2},
    {"rbac.authorization.k8s.io", "RoleBinding", validation::role_binding, 2, 1, 2},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", validation::cluster_role_binding, 2, 1, 2},
    {"autoscaling", "HorizontalPodAutoscaler", validation::autoscaler, 0, 1, 1},
    {"policy", "PodDisruptionBudget", validation::disruption_budget, 0, 0, 1},
    {"scheduling.k8s.io", "PriorityClass", validation::priority_class, 0, 1, 1},
    {"apps", "ControllerRevision", validation::controller_revision, 1, 1, 1},
    {"", "LimitRange", validation::limit_range, 1, 0, 1},
    {"", "ResourceQuota", validation::resource_quota, 0, 1, 1},
    {"apiregistration.k8s.io", "APIService", validation::api_service, 1, 1, 1, true},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", validation::flow_schema, 1, 0, 1},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", validation::priority_level, 1, 0, 1},
    {"", "PersistentVolumeClaim", validation::volume_claim, 2, 1, 2},
    {"", "PersistentVolume", validation::persistent_volume, 2, 0, 2},
    {"storage.k8s.io", "StorageClass", validation::storage_class, 1, 1, 1},
    {"storage.k8s.io", "CSIDriver", validation::csi_driver, 0, 1, 1},
    {"storage.k8s.io", "VolumeAttachment", validation::volume_attachment, 2, 0, 2},
    {"", "Node", validation::node, 1, 1, 1},
    {"coordination.k8s.io", "Lease", validation::lease, 0, 1, 1, true},
    {"node.k8s.io", "RuntimeClass", validation::runtime_class, 1, 1, 1, true},
    {"storage.k8s.io", "CSINode", validation::csi_node, 2, 0, 2},
    {"storage.k8s.io", "CSIStorageCapacity", validation::storage_capacity, 1, 1, 1},
    {"apiextensions.k8s.io", "CustomResourceDefinition", validation::custom_resource_definition, 0, 1, 1,
     true},
    {"", "Event", validation::event, 0, 0, 1, true},
    {"events.k8s.io", "Event", validation::event, 0, 1, 1},
    {"certificates.k8s.io", "CertificateSigningRequest", validation::signing_request, 1, 1, 1},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration", validation::webhook_configuration, 1, 0,
     1, true},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", validation::webhook_configuration, 1,
     0, 1, true},
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

const Entry* entry_of(std::span<const Entry> entries, const Resource& resource) {
  for (const Entry& entry : entries) {
    if (entry.group == resource.group && entry.kind == resource.kind) return &entry;
  }
  return nullptr;
}

void validate_typed_metadata(const Resource& resource, const Json& object, const Json& live,
                             std::string_view subresource, const Entry& entry, FieldErrors& errors) {
  const FieldView finalizers(object["metadata"]["finalizers"], "metadata.finalizers", errors);
  const auto domains = [&] {
    if (!entry.plain_finalizers) validate_finalizer_domains(finalizers);
  };
  if (live.is_null()) {
    validate_metadata(resource, object, resource.traits.name_rule, errors);
    return domains();
  }
  validate_metadata(resource, object, NameRule::PathSegment, errors);
  validate_metadata_update(object, live, errors);
  const bool main = subresource.empty();
  for (int i = 0; i < (main ? entry.metadata_update : 1); ++i) {
    validate_metadata_update(object, live, errors);
    domains();
  }
  for (int i = 0; main && i < entry.metadata; ++i) {
    validate_metadata(resource, object, resource.traits.name_rule, errors);
    domains();
  }
}

void run_rules(const Entry* entry, const validation::Subject& subject) {
  static const Json kNone;
  if (entry == nullptr || entry->rule == nullptr) return;
  const int again = subject.creates() || !subject.subresource.empty() ? 0 : entry->rules - 1;
  const validation::Subject fresh{subject.resource,    subject.object, kNone,
                                  subject.subresource, subject.rules,  true};
  for (int i = 0; i < again; ++i) entry->rule(fresh);
  entry->rule(subject);
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
  if (!resource.traits.typed) {
    validate_metadata(resource, object, resource.traits.name_rule, errors);
    if (!live.is_null()) validate_metadata_update(object, live, errors);
    validate_custom_resource(resource, object, live, subresource, errors);
    return errors;
  }
  static constexpr Entry kDefault{};
  const Entry* entry = entry_of(kRules, resource);
  validate_typed_metadata(resource, object, live, subresource, entry ? *entry : kDefault, errors);
  const validation::Subject subject{resource, FieldView(object, "", errors), live, subresource, rules};
  run_rules(subresource == "status" ? entry_of(kStatusRules, resource) : entry, subject);
  return errors;
}

}  // namespace flotilla::api
