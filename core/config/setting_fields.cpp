// SPDX-License-Identifier: Apache-2.0
#include "core/config/setting_fields.hpp"

#include <iterator>

namespace flotilla::config {
namespace {

#define AT(member) [](Settings& s) -> auto& { return s.member; }

std::vector<Field> daemon_fields() {
  return {
      {"data_dir", TextField{AT(data_dir), {}}},
      {"listen", ListenField{AT(listen)}},
      {"profile", TextField{AT(profile), {"control-plane", "member", "agent"}}},
      {"log.level", TextField{AT(log.level), {"debug", "info", "warn", "error", "off"}}},
      {"log.format", TextField{AT(log.format), {"text", "json"}}},
      {"threads.io", IntField{AT(threads.io), 1, 64}},
      {"threads.blocking", IntField{AT(threads.blocking), 1, 256}},
      {"storage.name", TextField{AT(storage.name), {}}},
      {"storage.config", TreeField{AT(storage.config)}},
      {"storage.history", IntField{AT(storage.history), 100, 1'000'000}},
      {"storage.compaction_interval", DurationField{AT(storage.compaction_interval)}},
      {"leadership.lease_duration", DurationField{AT(leadership.lease_duration)}},
      {"leadership.renew_deadline", DurationField{AT(leadership.renew_deadline)}},
      {"leadership.retry_period", DurationField{AT(leadership.retry_period)}},
      {"api.names", TextsField{AT(api.names)}},
      {"api.public_url", TextField{AT(api.public_url), {}}},
      {"api.max_body_bytes", IntField{AT(api.max_body_bytes), 1 << 10, 1 << 30}},
      {"api.socket", TextField{AT(api.socket), {}}},
      {"api.max_connections", IntField{AT(api.max_connections), 1, 1'000'000}},
      {"api.max_requests_inflight", IntField{AT(api.max_requests_inflight), 0, 1'000'000}},
      {"api.max_mutating_requests_inflight", IntField{AT(api.max_mutating_requests_inflight), 0, 1'000'000}},
      {"security.anonymous", TextField{AT(security.anonymous), {"everywhere", "health", "nowhere"}}},
      {"security.token_file", TextField{AT(security.token_file), {}}},
      {"security.encryption_config", TextField{AT(security.encryption_config), {}}},
      {"security.admission", TextsField{AT(security.admission)}},
      {"audit.policy_file", TextField{AT(audit.policy_file), {}}},
      {"audit.log_path", TextField{AT(audit.log_path), {}}},
      {"audit.max_size_mb", IntField{AT(audit.max_size_mb), 0, 1'000'000}},
      {"audit.max_backups", IntField{AT(audit.max_backups), 0, 1'000'000}},
      {"audit.max_age_days", IntField{AT(audit.max_age_days), 0, 100'000}},
      {"plugins.directories", TextsField{AT(plugins.directories)}},
  };
}

std::vector<Field> controller_fields() {
  return {
      {"controllers.enabled", BoolField{AT(controllers.enabled)}},
      {"controllers.controllers", TextsField{AT(controllers.controllers)}},
      {"controllers.workers", SmallIntField{AT(controllers.workers), 1, 1024}},
      {"controllers.scheduler_name", TextField{AT(controllers.scheduler_name), {}}},
      {"controllers.enable_empty_workload_propagation",
       BoolField{AT(controllers.enable_empty_workload_propagation)}},
      {"controllers.enable_scheduler_estimator", BoolField{AT(controllers.enable_scheduler_estimator)}},
      {"controllers.disable_scheduler_estimator_in_pull_mode",
       BoolField{AT(controllers.disable_scheduler_estimator_in_pull_mode)}},
      {"controllers.scheduler_estimator_timeout", DurationField{AT(controllers.scheduler_estimator_timeout)}},
      {"controllers.scheduler_estimator_port", IntField{AT(controllers.scheduler_estimator_port), 1, 65535}},
      {"controllers.scheduler_estimator_service_prefix",
       TextField{AT(controllers.scheduler_estimator_service_prefix), {}}},
      {"controllers.scheduler_estimator_service_namespace",
       TextField{AT(controllers.scheduler_estimator_service_namespace), {}}},
      {"controllers.scheduler_estimator_ca_file", TextField{AT(controllers.scheduler_estimator_ca_file), {}}},
      {"controllers.scheduler_estimator_cert_file",
       TextField{AT(controllers.scheduler_estimator_cert_file), {}}},
      {"controllers.scheduler_estimator_key_file",
       TextField{AT(controllers.scheduler_estimator_key_file), {}}},
      {"controllers.insecure_skip_estimator_verify",
       BoolField{AT(controllers.insecure_skip_estimator_verify)}},
      {"controllers.skipped_propagating_apis", TextField{AT(controllers.skipped_propagating_apis), {}}},
      {"controllers.skipped_propagating_namespaces",
       TextField{AT(controllers.skipped_propagating_namespaces), {}}},
      {"controllers.cluster_status_update_frequency",
       DurationField{AT(controllers.cluster_status_update_frequency)}},
      {"controllers.cluster_success_threshold", DurationField{AT(controllers.cluster_success_threshold)}},
      {"controllers.cluster_failure_threshold", DurationField{AT(controllers.cluster_failure_threshold)}},
      {"controllers.cluster_monitor_period", DurationField{AT(controllers.cluster_monitor_period)}},
      {"controllers.cluster_monitor_grace_period",
       DurationField{AT(controllers.cluster_monitor_grace_period)}},
      {"controllers.cluster_startup_grace_period",
       DurationField{AT(controllers.cluster_startup_grace_period)}},
      {"controllers.enable_cluster_resource_modeling",
       BoolField{AT(controllers.enable_cluster_resource_modeling)}},
      {"controllers.enable_taint_manager", BoolField{AT(controllers.enable_taint_manager)}},
      {"controllers.enable_no_execute_taint_eviction",
       BoolField{AT(controllers.enable_no_execute_taint_eviction)}},
      {"controllers.no_execute_taint_eviction_purge_mode",
       TextField{AT(controllers.no_execute_taint_eviction_purge_mode), {"Gracefully", "Directly"}}},
      {"controllers.allow_no_execute_taint_policy", BoolField{AT(controllers.allow_no_execute_taint_policy)}},
      {"controllers.resource_eviction_rate", NumberField{AT(controllers.resource_eviction_rate)}},
      {"controllers.graceful_eviction_timeout", DurationField{AT(controllers.graceful_eviction_timeout)}},
      {"controllers.removal_undo_window", DurationField{AT(controllers.removal_undo_window)}},
      {"controllers.removal_budget", IntField{AT(controllers.removal_budget), 0, 1'000'000'000}},
      {"controllers.removal_budget_share", ShareField{AT(controllers.removal_budget_share)}},
      {"controllers.removal_budget_window", DurationField{AT(controllers.removal_budget_window)}},
      {"controllers.federated_resource_quota_sync_period",
       DurationField{AT(controllers.federated_resource_quota_sync_period)}},
      {"controllers.horizontal_pod_autoscaler_sync_period",
       DurationField{AT(controllers.horizontal_pod_autoscaler_sync_period)}},
      {"controllers.horizontal_pod_autoscaler_downscale_stabilization",
       DurationField{AT(controllers.horizontal_pod_autoscaler_downscale_stabilization)}},
      {"controllers.horizontal_pod_autoscaler_cpu_initialization_period",
       DurationField{AT(controllers.horizontal_pod_autoscaler_cpu_initialization_period)}},
      {"controllers.horizontal_pod_autoscaler_initial_readiness_delay",
       DurationField{AT(controllers.horizontal_pod_autoscaler_initial_readiness_delay)}},
      {"controllers.horizontal_pod_autoscaler_tolerance",
       NumberField{AT(controllers.horizontal_pod_autoscaler_tolerance)}},
  };
}

std::vector<Field> scheduler_fields() {
  return {
      {"scheduler.plugins", TextsField{AT(controllers.scheduler_plugins)}},
      {"scheduler.weights", TreeField{AT(controllers.scheduler_weights)}},
      {"scheduler.profiles", TreeField{AT(controllers.scheduler_profiles)}},
      {"scheduler.backoff", DurationField{AT(controllers.scheduler_backoff)}},
      {"scheduler.max_backoff", DurationField{AT(controllers.scheduler_max_backoff)}},
      {"scheduler.unschedulable_again", DurationField{AT(controllers.scheduler_unschedulable_again)}},
      {"scheduler.assumption_ttl", DurationField{AT(controllers.scheduler_assumption_ttl)}},
      {"scheduler.estimators", TreeField{AT(controllers.scheduler_estimators)}},
      {"scheduler.estimator_keep", DurationField{AT(controllers.scheduler_estimator_keep)}},
      {"scheduler.estimator_rest", DurationField{AT(controllers.scheduler_estimator_rest)}},
      {"scheduler.estimator_max_rest", DurationField{AT(controllers.scheduler_estimator_max_rest)}},
      {"scheduler.policy_deadline", DurationField{AT(controllers.scheduler_policy_deadline)}},
      {"descheduler.descheduling_interval", DurationField{AT(controllers.descheduling_interval)}},
      {"descheduler.unschedulable_threshold", DurationField{AT(controllers.unschedulable_threshold)}},
  };
}

std::vector<Field> search_fields() {
  return {
      {"search.disable_search", BoolField{AT(search.disable_search)}},
      {"search.disable_proxy", BoolField{AT(search.disable_proxy)}},
      {"search.proxy_as_user", BoolField{AT(search.proxy_as_user)}},
      {"search.storage_initialization_timeout", DurationField{AT(search.storage_initialization_timeout)}},
  };
}

std::vector<Field> feature_gate_fields() {
  return {
      {"feature_gates.Failover", BoolField{AT(controllers.feature_gates.failover)}},
      {"feature_gates.GracefulEviction", BoolField{AT(controllers.feature_gates.graceful_eviction)}},
      {"feature_gates.PropagateDeps", BoolField{AT(controllers.feature_gates.propagate_deps)}},
      {"feature_gates.CustomizedClusterResourceModeling",
       BoolField{AT(controllers.feature_gates.customized_cluster_resource_modeling)}},
      {"feature_gates.PropagationPolicyPreemption",
       BoolField{AT(controllers.feature_gates.propagation_policy_preemption)}},
      {"feature_gates.MultiClusterService", BoolField{AT(controllers.feature_gates.multi_cluster_service)}},
      {"feature_gates.ResourceQuotaEstimate",
       BoolField{AT(controllers.feature_gates.resource_quota_estimate)}},
      {"feature_gates.StatefulFailoverInjection",
       BoolField{AT(controllers.feature_gates.stateful_failover_injection)}},
      {"feature_gates.PriorityBasedScheduling",
       BoolField{AT(controllers.feature_gates.priority_based_scheduling)}},
      {"feature_gates.FederatedQuotaEnforcement",
       BoolField{AT(controllers.feature_gates.federated_quota_enforcement)}},
      {"feature_gates.ControllerPriorityQueue",
       BoolField{AT(controllers.feature_gates.controller_priority_queue)}},
      {"feature_gates.MultiplePodTemplatesScheduling",
       BoolField{AT(controllers.feature_gates.multiple_pod_templates_scheduling)}},
      {"feature_gates.WorkloadAffinity", BoolField{AT(controllers.feature_gates.workload_affinity)}},
      {"feature_gates.SchedulingOvercommitProtection",
       BoolField{AT(controllers.feature_gates.scheduling_overcommit_protection)}},
      {"feature_gates.SpreadByLabel", BoolField{AT(controllers.feature_gates.spread_by_label)}},
  };
}

std::vector<Field> simulation_fields() {
  return {
      {"simulation.enabled", BoolField{AT(simulation.enabled)}},
      {"simulation.nodes", SmallIntField{AT(simulation.nodes), 0, 10'000}},
      {"simulation.node.cpu", QuantityField{AT(simulation.node.cpu)}},
      {"simulation.node.memory", QuantityField{AT(simulation.node.memory)}},
      {"simulation.node.pods", QuantityField{AT(simulation.node.pods)}},
      {"simulation.delay.pod_start", DurationField{AT(simulation.delay.pod_start)}},
      {"simulation.delay.pod_ready", DurationField{AT(simulation.delay.pod_ready)}},
      {"simulation.delay.pod_stop", DurationField{AT(simulation.delay.pod_stop)}},
      {"simulation.delay.job", DurationField{AT(simulation.delay.job)}},
      {"simulation.delay.volume", DurationField{AT(simulation.delay.volume)}},
      {"simulation.failure_rate", ShareField{AT(simulation.failure_rate)}},
      {"simulation.seed", SeedField{AT(simulation.seed)}},
      {"simulation.node_version", TextField{AT(simulation.node_version), {}}},
  };
}

std::vector<Field> agent_fields() {
  return {
      {"agent.cluster_name", TextField{AT(agent.cluster_name), {}}},
      {"agent.cluster_namespace", TextField{AT(agent.cluster_namespace), {}}},
      {"agent.karmada_kubeconfig", TextField{AT(agent.karmada_kubeconfig), {}}},
      {"agent.karmada_context", TextField{AT(agent.karmada_context), {}}},
      {"agent.kubeconfig", TextField{AT(agent.kubeconfig), {}}},
      {"agent.context", TextField{AT(agent.context), {}}},
      {"agent.cluster_api_endpoint", TextField{AT(agent.cluster_api_endpoint), {}}},
      {"agent.proxy_server_address", TextField{AT(agent.proxy_server_address), {}}},
      {"agent.cluster_provider", TextField{AT(agent.cluster_provider), {}}},
      {"agent.cluster_region", TextField{AT(agent.cluster_region), {}}},
      {"agent.cluster_zones", TextsField{AT(agent.cluster_zones)}},
      {"agent.report_secrets", TextsField{AT(agent.report_secrets)}},
      {"agent.listen", TextField{AT(agent.listen), {}}},
      {"agent.cluster_lease_duration", DurationField{AT(controllers.cluster_lease_duration)}},
      {"agent.cluster_lease_renew_interval_fraction",
       ShareField{AT(controllers.cluster_lease_renew_interval_fraction)}},
      {"agent.karmada_kubeconfig_namespace", TextField{AT(agent.karmada_kubeconfig_namespace), {}}},
      {"agent.cert_rotation_checking_interval",
       DurationField{AT(controllers.cert_rotation_checking_interval)}},
      {"agent.cert_rotation_remaining_time_threshold",
       ShareField{AT(controllers.cert_rotation_remaining_time_threshold)}},
  };
}

#undef AT

}  // namespace

const std::vector<Field>& setting_fields() {
  static const std::vector<Field> kFields = [] {
    std::vector<Field> all;
    for (auto part : {daemon_fields, controller_fields, scheduler_fields, search_fields, feature_gate_fields,
                      simulation_fields, agent_fields}) {
      std::vector<Field> some = part();
      std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
  }();
  return kFields;
}

}  // namespace flotilla::config
