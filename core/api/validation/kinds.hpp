// SPDX-License-Identifier: Apache-2.0
// Rules of single kinds; the table that knows them all is in validation.cpp.
#pragma once

#include "core/api/json.hpp"
#include "core/api/schema/registry.hpp"
#include "core/api/validation/field_view.hpp"
#include "core/api/validation/rules.hpp"

namespace flotilla::api::validation {

// The object at the root, what is stored (null on create), and through which door.
struct Subject {
  const Resource& resource;
  FieldView object;
  const Json& live;
  std::string_view subresource;
  const RuleLanguage* rules = nullptr;  // of x-kubernetes-validations; may be null
  bool again = false;                   // an update looks at the rules of a create first

  bool creates() const { return live.is_null(); }
  FieldView spec() const { return object["spec"]; }
};

using KindRule = void (*)(const Subject&);

void namespace_object(const Subject&);
void pod(const Subject&);
void pod_template(const Subject&);
void replication_controller(const Subject&);
void deployment(const Subject&);
void replica_set(const Subject&);
void stateful_set(const Subject&);
void daemon_set(const Subject&);
void job(const Subject&);
void cron_job(const Subject&);
void service(const Subject&);
void config_map(const Subject&);
void secret(const Subject&);
void ingress(const Subject&);
void ingress_class(const Subject&);
void network_policy(const Subject&);
void endpoints(const Subject&);
void endpoint_slice(const Subject&);
void role(const Subject&);
void cluster_role(const Subject&);
void role_binding(const Subject&);
void cluster_role_binding(const Subject&);
void autoscaler(const Subject&);
void disruption_budget(const Subject&);
void priority_class(const Subject&);
void controller_revision(const Subject&);
void limit_range(const Subject&);
void resource_quota(const Subject&);
void api_service(const Subject&);
void flow_schema(const Subject&);
void priority_level(const Subject&);
void volume_claim(const Subject&);
void persistent_volume(const Subject&);
void storage_class(const Subject&);
void csi_driver(const Subject&);
void volume_attachment(const Subject&);
void node(const Subject&);
void event(const Subject&);
void signing_request(const Subject&);
void webhook_configuration(const Subject&);
void lease(const Subject&);
void runtime_class(const Subject&);
void storage_capacity(const Subject&);
void csi_node(const Subject&);
void custom_resource_definition(const Subject&);

// What may be written through /status.
void pod_status(const Subject&);
void load_balancer_status(const Subject&);
void replica_set_status(const Subject&);
void deployment_status(const Subject&);
void stateful_set_status(const Subject&);
void daemon_set_status(const Subject&);
void job_status(const Subject&);
void autoscaler_status(const Subject&);
void disruption_budget_status(const Subject&);
void namespace_status(const Subject&);
void node_status(const Subject&);
void volume_claim_status(const Subject&);
void resource_quota_status(const Subject&);
void custom_resource_definition_status(const Subject&);
void api_service_status(const Subject&);
void conditions_status(const Subject&);

// spec.template of workloads and its parts; `spec` is a PodSpec. Templates have no `pod_name`.
void validate_pod_spec(const FieldView& spec, std::string_view pod_name);
void validate_pod_template(const FieldView& pod_template);
// Labels and annotations alone.
void validate_template_metadata(const FieldView& pod_template);
// clientConfig of webhooks of every sort.
void validate_webhook_client(const FieldView& client);
// An address that no endpoint can have: loopback, link-local, unspecified.
void validate_special_address(const FieldView& address);
// A number or a percentage up to 100%.
void validate_percent(const FieldView& value);

}  // namespace flotilla::api::validation
